"""One page of a hand-off exchanged, zeroed or stale at the decode worker, checksums and counters intact: the real model
gives other bits than one process does, so the comparison of relay_test.py would see it. Each damage is a patched build."""
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "testing"))

import cluster  # noqa: E402
from mutant import build_mutant  # noqa: E402

BUILD = os.path.dirname(os.path.dirname(os.path.abspath(cluster.BINARY)))
LENGTH = 320  # tokens: pages 0 to 4


def answers(binary, prompts):
    """What a cluster of `binary` gives for each prompt in turn: (token ids, logprobs)."""
    right, cluster.BINARY = cluster.BINARY, binary
    try:
        with cluster.Cluster(sets=["transfer.transports=[shm]"]) as running:
            got = [cluster.answer_of(running.complete(p, max_tokens=8, logprobs=0)) for p in prompts]
            handed = running.metric("baton_handoffs_total", "prefill-0", outcome="committed")
    finally:
        cluster.BINARY = right
    return got, handed


class PageDamageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prompts = [cluster.recall_prompt(LENGTH, seed) for seed in (31, 32)]
        cls.expected = [(one["token_ids"], one["logprobs"]) for one in cluster.oracle(cls.prompts, max_tokens=8)]

    def notices(self, damage):
        with tempfile.TemporaryDirectory() as folder:
            binary = build_mutant(BUILD, "baton", os.path.join(HERE, "damage", damage + ".patch"), folder)
            got, handed = answers(binary, self.prompts)
        self.assertEqual(2, handed, "the damaged pages did not cross")
        ids, logprobs = got[1]
        self.assertEqual(self.expected[1][0][0], ids[0], "the first token comes from prefill, whose pages are whole")
        self.assertNotEqual(self.expected[1], (ids, logprobs), damage + " went unnoticed")
        by = "ids" if ids != self.expected[1][0] else "logprobs"
        print(f"{damage}: seen by {by}")

    def test_whole_pages_give_the_expected_bits(self):
        self.assertEqual((self.expected, 2), answers(cluster.BINARY, self.prompts))

    def test_two_pages_exchanged_are_seen(self):
        self.notices("page_exchanged")

    def test_a_zeroed_page_is_seen(self):
        self.notices("page_zeroed")

    def test_a_stale_page_is_seen(self):
        self.notices("page_stale")


if __name__ == "__main__":
    unittest.main(verbosity=2)
