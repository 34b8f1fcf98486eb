"""Chat templates against jinja2 in the environment of transformers: the same text, or an error in both.

Two products: the golden templates with generated conversations, and generated templates with generated conversations.
What Baton refuses by saying that it is not supported counts apart, and may not become common.

usage: template_compare_test.py DRIVER GOLDEN_FOLDER [SEED]
"""
import glob
import json
import os
import random
import subprocess
import sys
import tempfile

from template_writer import Writer

JINJA = "jinja2==3.1.6"
GOLDEN_CONVERSATIONS = 300
TEMPLATES, CONVERSATIONS = 2500, 2
# Words by which Baton says that it stops rather than print something else.
HONEST = ("not supported", "cannot be printed", "beyond 64 bits", "nested", "safe", "use | list")


def enter_venv():
    """Runs this test again inside a venv of its own that has the pinned jinja2."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        got = subprocess.run([folder + "/bin/pip", "-q", "install", JINJA], capture_output=True, text=True)
        if got.returncode != 0:
            print(f"SKIPPED: {JINJA} cannot be had here: templates were not compared with it")
            return 77
        return subprocess.run([folder + "/bin/python", "-B", *sys.argv], env={**os.environ, "TEMPLATE_VENV": "1"}).returncode


def environment():
    import datetime

    import jinja2
    from jinja2.ext import Extension
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        tags = {"generation"}

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return jinja2.nodes.CallBlock(self.call_method("_call"), [], [], body).set_lineno(line)

        def _call(self, caller):
            return caller()

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.TemplateError(message)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: datetime.datetime(2026, 3, 9, 14, 5, 6).strftime(form)
    return env


def expected(env, case):
    """(text, None), or (None, error)."""
    messages = [{k: v for k, v in m.items() if v is not None} for m in case["messages"]]
    try:
        template = env.from_string(case["template"])
        names = {"bos_token": "<s>", "eos_token": "</s>", **case["kwargs"]}
        return template.render(messages=messages, tools=case["tools"], documents=None,
                               add_generation_prompt=case["add_generation_prompt"], **names), None
    except Exception as error:  # whatever jinja2 or Python says: this conversation has no rendering
        return None, f"{type(error).__name__}: {error}"


def cases(seed, golden):
    writer = Writer(random.Random(seed))
    for path in sorted(glob.glob(golden + "/*.jinja")):
        with open(path, newline="") as file:
            source = file.read()
        for _ in range(GOLDEN_CONVERSATIONS):
            yield {"template": source, **writer.conversation()}
    for i in range(TEMPLATES):
        source = Writer(random.Random(f"{seed}/{i}")).template()
        for _ in range(CONVERSATIONS):
            yield {"template": source, **writer.conversation()}


def main():
    driver, golden = sys.argv[1:3]
    seed = sys.argv[3] if len(sys.argv) > 3 else "templates"
    all_cases = list(cases(seed, golden))
    lines = "".join(json.dumps(case) + "\n" for case in all_cases)
    done = subprocess.run([driver], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    answers = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
    assert len(answers) == len(all_cases), (len(answers), len(all_cases))
    env = environment()
    equal = failed = refused = different = 0
    for case, answer in zip(all_cases, answers):
        text, error = expected(env, case)
        if "text" in answer and text == answer["text"]:
            equal += 1
        elif "error" in answer and error is not None:
            failed += 1
        elif "error" in answer and any(word in answer["error"] for word in HONEST):
            refused += 1
        elif "<" in (text or "") and " at 0x" in text and "error" in answer:
            refused += 1  # Python printed an address
        else:
            different += 1
            if different <= 10:
                print(json.dumps({"case": case, "jinja": text if error is None else error, "baton": answer}, ensure_ascii=False))
    print(f"{len(all_cases)} renderings: {equal} equal, {failed} errors in both, {refused} refused, {different} different (seed {seed})")
    ok = different == 0 and equal >= 5000 and refused * 10 <= len(all_cases)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main() if os.environ.get("TEMPLATE_VENV") else enter_venv())
