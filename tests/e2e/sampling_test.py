"""The same request gives the same tokens alone, among 31 others, and after its decode worker was killed in mid-stream,
whatever rules its sampling has; an aggregated cluster is the oracle. For pages of latents and of heads."""
import concurrent.futures
import os
import random
import signal
import unittest

from cluster import Cluster, answer_of, recall_prompt

NANO = "builtin:recall-nano"
HEADS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "models", "llama3")
RULES = [
    {"temperature": 0},
    {"temperature": 0.9, "seed": 11, "top_p": 0.9},
    {"temperature": 1.2, "seed": 12, "top_k": 20, "frequency_penalty": 0.7, "presence_penalty": 0.3},
    {"temperature": 0.7, "seed": 13, "min_p": 0.02, "repetition_penalty": 1.3},
    {"temperature": 0, "logit_bias": {"65": 30, "66": 29.5}, "frequency_penalty": 1.5},
    {"temperature": 0, "allowed_token_ids": [48, 49, 50, 51, 52], "repetition_penalty": 1.2},
    {"temperature": 0.5, "seed": 14, "min_tokens": 12},
]
TOKENS = 48


def prompt_of(model, seed):
    if model == NANO:
        return recall_prompt(150 + 20 * seed, seed)
    rng = random.Random(seed)
    return [rng.randrange(3, 250) for _ in range(150 + 20 * seed)]


class SamplingTest(unittest.TestCase):
    def compare(self, model):
        asked = [(prompt_of(model, i), rules) for i, rules in enumerate(RULES)]

        def ask(cluster, prompt, rules):
            return answer_of(cluster.complete(prompt, max_tokens=TOKENS, logprobs=0, ignore_eos="min_tokens" not in rules,
                                              **rules))

        with Cluster(model=model, prefill=0) as alone:
            expected = [ask(alone, *one) for one in asked]
        self.assertTrue(set(expected[5][0]) <= {48, 49, 50, 51, 52})
        self.assertNotEqual(expected[0][0][:8], expected[2][0][:8])
        with Cluster(model=model, prefill=2, decode=2) as cluster:
            for one, want in zip(asked, expected):
                self.assertEqual(want, ask(cluster, *one), one[1])
            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                got = list(pool.map(lambda i: ask(cluster, *asked[i % len(asked)]), range(32)))
            for i, answer in enumerate(got):
                self.assertEqual(expected[i % len(asked)], answer, asked[i % len(asked)][1])
            for victim in ("decode-0", "decode-1"):
                self.kill_in_mid_stream(cluster, victim, asked, expected)

    def kill_in_mid_stream(self, cluster, victim, asked, expected):
        before = cluster.workers[victim]

        def stream(i):
            prompt, rules = asked[i]
            ids = []
            for event in cluster.stream(prompt, max_tokens=TOKENS, logprobs=0, ignore_eos="min_tokens" not in rules,
                                        **rules):
                for choice in event["choices"]:
                    ids += choice["token_ids"]
                if i == 0 and len(ids) >= 8 and cluster.workers[victim] == before:
                    try:
                        cluster.signal(victim, signal.SIGKILL)
                    except ProcessLookupError:
                        pass  # killed already; its successor is not announced yet
            return ids

        with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
            for i, ids in enumerate(pool.map(stream, range(len(asked)))):
                self.assertEqual(expected[i][0], ids, f"{victim} {asked[i][1]}")
        cluster.wait_metric(2, "baton_workers", role="decode", state="ready", seconds=30)

    def test_pages_of_latents(self):
        self.compare(NANO)

    def test_pages_of_heads(self):
        self.compare(HEADS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
