"""Writes random chat templates and conversations, from a seed: all that Baton's part of Jinja has, mixed with types that
do not fit, so that errors are compared, too."""

WORDS = ["", "a", "Hi", "user", "x y", "  pad ", "<s>", "<|im_end|>", "é", "ß", "漢字", "A\nb\n", "Σ", "ΑΣ", "ﬁ", "it's", '"q"',
         "a,b,,c", "</think>", "\u200b", "\u0085", "42", "3.5", "-7", "1e3", "\t", "ǆ", "{{ x }}", "\\n", "😀", "\u1e9e", "\x7f"]
NAMES = ["messages", "tools", "bos_token", "eos_token", "add_generation_prompt", "depth", "persona", "missing", "v", "w", "ns", "m", "k"]
KEYS = ["role", "content", "name", "tool_calls", "nope", "function", "items", "a", "b"]
PLAIN_FILTERS = ["upper", "lower", "trim", "length", "string", "capitalize", "list", "first", "last", "tojson", "int", "unique | list",
                 "sort", "reverse | list", "float", "abs", "items | list", "dictsort", "count", "default", "join", "map('upper') | list",
                 "select | list", "reject('none') | list", "map(attribute='role') | list", "selectattr('role') | list", "safe",
                 "indent", "d('z')", "unique", "reverse", "select('string') | list"]
TESTS = ["defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "boolean", "true", "false", "integer",
         "float", "odd", "even", "equalto(1)", "eq 'a'", "in [1, 'a']", "ne none", "callable"]
METHODS = ["strip()", "lstrip()", "rstrip('a ')", "upper()", "lower()", "split()", "split(' ')", "split(',', 1)", "startswith('H')",
           "endswith(('!', 'i'))", "replace('a', 'bb')", "items() | list", "keys() | list", "get('role')", "get('zz', 1)", "splitlines()",
           "capitalize()", "find('i')", "count('a')", "values() | list", "removeprefix('H')", "strip('<|s>')", "rstrip()", "append(1)"]


class Writer:
    def __init__(self, random):
        self.random = random
        self.macros = 0
        self.loops = 0

    def pick(self, items):
        return items[self.random.randrange(len(items))]

    def literal(self):
        kind = self.random.randrange(8)
        if kind < 3:
            return repr(self.pick(WORDS)).replace("\\x7f", "\x7f")
        if kind < 5:
            return self.pick(["0", "1", "2", "7", "-3", "10", "1.5", "0.1", "1e20", "2.0", "true", "none", "false", "1_000"])
        if kind == 5:
            return "[" + ", ".join(self.expression(3) for _ in range(self.random.randrange(4))) + "]"
        if kind == 6:
            return "(" + ", ".join(self.expression(3) for _ in range(self.random.randrange(3))) + ",)" if self.random.random() < .5 else "range(3)"
        return "{" + ", ".join(f"{self.pick(WORDS)!r}: {self.expression(3)}" for _ in range(self.random.randrange(3))) + "}"

    def name(self):
        if self.loops and self.random.random() < .3:
            return "loop." + self.pick(["index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem", "depth"])
        return self.pick(NAMES + (["m"] * 6 if self.loops else ["messages"] * 3))

    def expression(self, depth=0):
        kind = self.random.randrange(4) if depth >= 4 else self.random.randrange(18)
        below = lambda: self.expression(depth + 1)
        if kind < 2:
            return self.name()
        if kind < 4:
            return self.literal() if depth < 4 else self.pick(["1", "'a'", "none"])
        if kind < 6:
            return f"{self.name()}.{self.pick(KEYS)}"
        if kind == 6:
            return f"{below()} {self.pick(['+', '-', '*', '~', '~', '~', '/', '//', '%'])} {below()}".replace("' %", "' ~")
        if kind == 7:
            return f"({below()} {self.pick(['==', '!=', '<', '>', '<=', '>=', 'in', 'not in', 'and', 'or'])} {below()})"
        if kind in (8, 9):
            return f"({below()}) | {self.pick(PLAIN_FILTERS)}"
        if kind == 10:
            return f"({below()}) is {self.pick(['', 'not '])}{self.pick(TESTS)}"
        if kind == 11:
            return f"({below()}).{self.pick(METHODS)}"
        if kind == 12:
            # Jinja folds a slice of a constant that has none (a number's) to nothing, and fails on a variable's.
            sliced = self.pick([self.name(), f"{self.name()}.{self.pick(KEYS)}", repr(self.pick(WORDS[:-1])), "[1, 'a', none]"])
            if self.random.random() < .6:
                return f"({sliced})[{self.pick(['1:', ':2', '::-1', '-2:', '::2', '1:3', '5:1:-2'])}]"
            return f"({below()})[{self.pick(['0', '-1', repr(self.pick(KEYS)), '99'])}]"
        if kind == 13:
            return f"({below()} if {below()}" + (f" else {below()})" if self.random.random() < .8 else ")")
        if kind == 14:
            return f"not {below()}"
        if kind == 15:
            return f"(-{below()})" if self.random.random() < .3 else f"({below()} < {below()} <= {below()})"
        if kind == 16:
            return f"{self.pick(['f0', 'f1'])}({below()}{self.pick(['', ', b=2', ', ' + self.name()])})" if self.macros else self.name()
        return self.pick([f"({below()}) | replace({self.pick(WORDS)!r}, {self.pick(WORDS)!r})", f"({below()}) | default({below()}, true)",
                          f"({below()}) | join({self.pick(WORDS)!r})", f"({below()}) | tojson(indent=2)", f"({below()}) | indent(2, true)",
                          f"({below()}) | trim({self.pick(WORDS)!r})", f"({below()}) | int(5)", f"({below()}) | sort(reverse=true)",
                          f"messages | selectattr('role', 'equalto', {self.pick(['user', 'tool'])!r}) | map(attribute='content') | list",
                          f"messages | rejectattr('content', 'string') | list | length", "strftime_now('%d %b %Y %j %p')",
                          f"({below()}) | dictsort(by='value')", f"({below()}) | tojson(ensure_ascii=true)", "namespace(a=1).a",
                          f"({below()}) | tojson(separators=(',', ':'))", f"({below()}) | sort(attribute='role') | length"])

    def mark(self):
        return self.pick(["", "", "", "", "-", "-", "+"])

    def tag(self, inside):
        begin, end = self.mark(), self.pick(["", "", "-", "+"])
        return "{%" + begin + " " + inside + " " + end + "%}"

    def text(self):
        return self.pick(["", " ", "\n", "\n\n", "  \n  ", "x", " y ", "\t", "z\n", "  a  b\n   ", "{", "}}", "# ", "\r\n", "<s>\n    "])

    def printed(self):
        return "{{" + self.pick(["", "-"]) + " " + self.expression() + " " + self.pick(["", "-"]) + "}}"

    def body(self, depth):
        return "".join(self.statement(depth + 1) for _ in range(self.random.randrange(1, 4)))

    def statement(self, depth=0):
        kind = self.random.randrange(8) if depth > 3 else self.random.randrange(20)
        if kind < 3:
            return self.text()
        if kind < 7:
            return self.text() + self.printed()
        if kind == 7:
            return "{#" + self.mark() + " c " + self.pick(["", "-"]) + "#}"
        if kind < 11:
            other = self.random.random()
            middle = "" if other < .4 else self.tag("else") + self.body(depth)
            if other > .8:
                middle = self.tag(f"elif {self.expression()}") + self.body(depth) + middle
            return self.tag(f"if {self.expression()}") + self.body(depth) + middle + self.tag("endif")
        if kind < 15:
            return self.loop(depth)
        if kind < 17:
            return self.tag(f"set {self.pick(['v', 'w', 'persona', 'v, w', 'ns.a', 'ns.b'])} = {self.expression()}")
        if kind == 17:
            return self.tag("set v" + self.pick(["", " | upper", " | trim | length"])) + self.body(depth) + self.tag("endset")
        if kind == 18:
            return self.tag("filter " + self.pick(["upper", "trim", "replace('a', 'b') | lower"])) + self.body(depth) + self.tag("endfilter")
        return self.tag("generation") + self.without_loops(depth) + self.tag("endgeneration")

    def without_loops(self, depth):
        loops, self.loops = self.loops, 0
        text = self.body(depth)
        self.loops = loops
        return text

    def loop(self, depth):
        target, source = self.pick([("m", "messages"), ("m", "messages"), ("m", "messages[1:]"), ("k, v", "messages[0].items()"),
                                    ("m", "range(3)"), ("m", "tools"), ("m", self.expression(2)), ("k, v", self.expression(2))])
        condition = f" if {self.expression(1)}" if self.random.random() < .25 else ""
        self.loops += 1
        body = self.body(depth)
        if self.random.random() < .15:
            body += self.tag(f"if {self.expression(2)}") + self.tag(self.pick(["break", "continue"])) + self.tag("endif") + self.body(depth)
        self.loops -= 1
        other = self.tag("else") + self.body(depth) if self.random.random() < .2 else ""
        return self.tag(f"for {target} in {source}{condition}") + body + other + self.tag("endfor")

    def template(self):
        text = "{% set ns = namespace(a=0, b='') %}" if self.random.random() < .8 else ""
        if self.random.random() < .4:
            for name in ("f0", "f1"):
                text += self.tag(f"macro {name}(a, b={self.literal()})") + self.body(2) + self.tag("endmacro")
            self.macros = 2
        return text + "".join(self.statement() for _ in range(self.random.randrange(1, 6)))

    def value(self, depth=0):
        kind = self.random.randrange(9 if depth < 2 else 6)
        if kind < 3:
            return self.pick(WORDS)
        if kind == 3:
            return self.pick([0, 1, -5, 2.5, 1e22, 123456789, 0.1, 18446744073709551615])
        if kind < 6:
            return self.pick([True, False, None, "t"])
        if kind == 6:
            return [self.value(depth + 1) for _ in range(self.random.randrange(3))]
        return {self.pick(KEYS + WORDS): self.value(depth + 1) for _ in range(self.random.randrange(4))}

    def message(self):
        message = {"role": self.pick(["system", "user", "assistant", "tool"])}
        content = self.random.random()
        if content < .75:
            message["content"] = " ".join(self.pick(WORDS) for _ in range(self.random.randrange(4)))
        elif content < .9:
            message["content"] = self.value()
        if message["role"] == "assistant" and self.random.random() < .3:
            message["tool_calls"] = [{"type": "function", "function": {"name": "f", "arguments": self.value()}}]
        if self.random.random() < .2:
            message[self.pick(["name", "reasoning_content", "tool_call_id"])] = self.pick(WORDS)
        return message

    def conversation(self):
        tool = {"type": "function", "function": {"name": "f", "description": self.pick(WORDS), "parameters": {"type": "object", "properties": {
            self.pick(["city", "days"]): {"type": self.pick(["string", "integer"]), "enum": ["C", "F"]}}, "required": []}}}
        return {"messages": [self.message() for _ in range(self.random.randrange(1, 7))],
                "tools": [tool] * self.random.randrange(1, 3) if self.random.random() < .4 else None,
                "kwargs": {"depth": self.random.randrange(4)} if self.random.random() < .5 else {"persona": self.value()},
                "add_generation_prompt": self.random.random() < .5}
