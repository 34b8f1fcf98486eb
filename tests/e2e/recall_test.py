"""The built-in model through the disaggregated path: it recalls its prompt over thousands of tokens, so its answer
depends on every page that crossed. Prompts as long as those it was accepted on."""
import random
import unittest

from cluster import Cluster

LENGTHS = (202, 820, 2562, 6438)  # bytes
KEYS_ASKED = 10                   # four digits each
DIGITS_RIGHT = 39                 # of 40; a miss is a true collision of eight-byte suffixes


def pairs(count, rng):
    words = ["kite", "moss", "lamp", "fern", "gold", "drum", "pine", "wolf", "salt", "ruby", "iris", "jade", "kelp",
             "loom", "mint", "nest"]
    ends = ["", "er", "ing", "ed", "ly", "s", "tor", "ment", "ish", "ful", "ness", "ward", "able", "ion", "ary", "ous"]
    keys = rng.sample([w + e for w in words for e in ends], count)
    return [(key, str(rng.randrange(1000, 10000))) for key in keys]


def text_of(length, rng):
    """(pairs, text) of about `length` bytes; beyond 256 pairs' worth, filler stands between them."""
    count = max(KEYS_ASKED, min(250, length // 14))
    chosen = pairs(count, rng)
    filler = max(0, length // count - 14)
    letters = "abcdefghijklmnopqrstuvwxyz "
    return chosen, "".join(f"{k}={v};" + ("".join(rng.choice(letters) for _ in range(filler)) + "." if filler else "")
                           for k, v in chosen)


class RecallTest(unittest.TestCase):
    def recall(self, model, length):
        rng = random.Random(length)
        chosen, text = text_of(length, rng)
        right = 0
        with Cluster(model=model) as cluster:
            for key, digits in rng.sample(chosen, KEYS_ASKED):
                got = cluster.complete(text + "\n;" + key + "=", max_tokens=4, timeout=300)
                answer = got["choices"][0]["text"]
                right += sum(a == b for a, b in zip(answer, digits))
            self.assertGreaterEqual(cluster.metric("baton_handoffs_total", "prefill-0", outcome="committed"), KEYS_ASKED)
        print(f"{model} {len(text)} bytes: {right}/40 digits")
        self.assertGreaterEqual(right, DIGITS_RIGHT)

    def copy(self, model, length):
        rng = random.Random(length + 1)
        _, text = text_of(length, rng)
        with Cluster(model=model) as cluster:
            got = cluster.complete(text + "\n" + text[:8], max_tokens=200, ignore_eos=True, timeout=300)
        answer, want = got["choices"][0]["text"], text[8:208]
        right = sum(a == b for a, b in zip(answer, want)) / len(want)
        print(f"{model} {len(text)} bytes: next byte {right:.4f}")
        self.assertGreaterEqual(right, 0.995)


for _model in ("builtin:recall", "builtin:recall-nano"):
    for _length in LENGTHS:
        _name = f"{_model.replace(':', '_').replace('-', '_')}_{_length}"
        setattr(RecallTest, f"test_{_name}_bytes_are_recalled",
                lambda self, m=_model, n=_length: self.recall(m, n))
    setattr(RecallTest, f"test_{_model.replace(':', '_').replace('-', '_')}_copies_its_prompt",
            lambda self, m=_model: self.copy(m, 820))

if __name__ == "__main__":
    unittest.main(verbosity=2)
