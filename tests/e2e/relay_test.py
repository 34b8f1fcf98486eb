"""Disaggregated = aggregated: what comes through router, prefill and decode as processes is bit for bit what
one process gives, over both wires, for every chunk size, greedy and seeded, with and without prefix hits."""
import concurrent.futures
import os
import random
import sys
import unittest

from cluster import NANO, Cluster, answer_of, oracle, recall_prompt

NIGHT = "--night" in sys.argv
SEED = int(os.environ.get("BATON_SEED", "1"))
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "models")
FIXTURES = {"llama3": "pages of heads", "v2_group": "pages of latents"}
# Of the fixtures' weights and pages, by chunk size.
DTYPES = {64: ("auto", "fp8_e4m3"), 128: ("float32", "auto"), 512: ("float16", "auto")}
FIXTURE_LENGTH, FIXTURE_IDS = 2048, 700
LENGTHS = list(range(1, 201)) + [n for i in range(4, 65) for n in (64 * i - 1, 64 * i, 64 * i + 1)]
SAMPLES = {"short": 14, "long": 4}


def lengths_of(rng, longest=LENGTHS[-1]):
    lengths = [n for n in LENGTHS if n <= longest]
    if NIGHT:
        return lengths
    return sorted(rng.sample(lengths[:200], SAMPLES["short"]) + rng.sample(lengths[200:], SAMPLES["long"]))


def random_prompt(length, seed):
    rng = random.Random(seed)
    return [rng.randrange(FIXTURE_IDS) for _ in range(length)]


class RelayTest(unittest.TestCase):
    def compare(self, wire, step_tokens):
        rng = random.Random(f"{SEED} {wire} {step_tokens}")
        prompts = [recall_prompt(n, rng.random()) for n in lengths_of(rng)]
        self.compare_prompts(NANO, prompts, wire, step_tokens)

    def compare_fixture(self, name, wire, step_tokens):
        rng = random.Random(f"{SEED} {name} {wire} {step_tokens}")
        prompts = [random_prompt(n, rng.random()) for n in lengths_of(rng, FIXTURE_LENGTH - 8)]
        self.compare_prompts(os.path.join(GOLDEN, name), prompts, wire, step_tokens,
                             sets=[f"{key}={value}" for key, value in
                                   zip(("model.dtype", "kv_cache_dtype"), DTYPES[step_tokens])])

    def compare_prompts(self, model, prompts, wire, step_tokens, sets=()):
        for temperature, seed in ((0, 0), (0.8, 12345)):
            expected = oracle(prompts, model, max_tokens=6, sets=sets, temperature=temperature, seed=seed)
            with Cluster(model=model,
                         sets=[f"transfer.transports=[{wire}]", f"transfer.require_transport={wire}",
                               f"prefill.step_tokens_max={step_tokens}", "cache.pages=1024", *sets]) as cluster:
                for _ in ("computed", "from the prefix cache"):
                    for prompt, want in zip(prompts, expected):
                        got = cluster.complete(prompt, max_tokens=6, temperature=temperature, seed=seed,
                                               logprobs=0)
                        self.assertEqual((want["token_ids"], want["logprobs"]), answer_of(got),
                                         f"length {len(prompt)} {wire} step {step_tokens} seed {SEED}")
                handed = cluster.metric("baton_handoffs_total", "prefill-0", outcome="committed")
                self.assertGreaterEqual(handed, len(prompts), "the answers did not cross")
                moved = cluster.metric("baton_transfer_bytes_total", "prefill-0", wire=wire)
                self.assertGreater(moved or 0, 0, f"no bytes went over {wire}")
                cluster.wait_metric(0, "baton_ledger_imbalance", "decode-0")
                cluster.wait_metric(0, "baton_kv_pages", "decode-0", state="inbound")

    def test_layers_sent_one_by_one_and_pages_sent_at_the_end_equal_one_process(self):
        prompts = [recall_prompt(n, n) for n in (65, 640, 1100, 2000)]
        one_by_one = ["transfer.layer_group=1", "transfer.overlap_tokens_min=0"]
        for wire in ("shm", "tcp"):
            for sets in (one_by_one, ["overlap_compute_transfer=false"]):
                self.compare_prompts(NANO, prompts, wire, 512, sets)

    def test_concurrent_streams_equal_their_solo_answers(self):
        rng = random.Random(SEED)
        prompts = [recall_prompt(rng.randrange(1, 900), rng.random()) for _ in range(32)]
        expected = oracle(prompts, max_tokens=24)
        with Cluster() as cluster, concurrent.futures.ThreadPoolExecutor(32) as pool:
            got = list(pool.map(lambda p: cluster.complete(p, max_tokens=24, logprobs=0), prompts))
        for prompt, want, answer in zip(prompts, expected, got):
            self.assertEqual((want["token_ids"], want["logprobs"]), answer_of(answer), len(prompt))

    def test_an_aggregated_cluster_gives_the_same(self):
        prompts = [recall_prompt(n, n) for n in (1, 64, 65, 200, 700)]
        expected = oracle(prompts, max_tokens=8)
        with Cluster(prefill=0) as cluster:
            for prompt, want in zip(prompts, expected):
                got = cluster.complete(prompt, max_tokens=8, logprobs=0)
                self.assertEqual((want["token_ids"], want["logprobs"]), answer_of(got))

    def test_a_shared_prefix_is_computed_once_and_sent_once(self):
        head = recall_prompt(640, 7)
        first, second = head + recall_prompt(100, 8)[1:], head + recall_prompt(120, 9)[1:]
        # One decode worker: between two, their measured speeds may count for more than some pages on the wire.
        with Cluster(prefill=2, decode=1) as cluster:
            cluster.complete(first, max_tokens=4)
            before = sum(cluster.metric("baton_prefill_tokens_computed_total", f"prefill-{i}") for i in (0, 1))
            saved = sum(cluster.metric("baton_handoff_delta_pages_saved_total", f"prefill-{i}") for i in (0, 1))
            answer = cluster.complete(second, max_tokens=4)
            computed = sum(cluster.metric("baton_prefill_tokens_computed_total", f"prefill-{i}")
                           for i in (0, 1)) - before
            self.assertEqual(len(second) - 640, computed)
            self.assertEqual(640, answer["usage"]["prompt_tokens_details"]["cached_tokens"])
            now = sum(cluster.metric("baton_handoff_delta_pages_saved_total", f"prefill-{i}") for i in (0, 1))
            self.assertEqual(10, now - saved, "decode was sent pages that it already held")


for _wire in ("tcp", "shm"):
    for _step in (64, 128, 512):
        setattr(RelayTest, f"test_{_wire}_chunks_of_{_step}_equal_one_process",
                lambda self, w=_wire, s=_step: self.compare(w, s))
        for _name in FIXTURES:
            setattr(RelayTest, f"test_{_name}_over_{_wire}_in_chunks_of_{_step}_equals_one_process",
                    lambda self, n=_name, w=_wire, s=_step: self.compare_fixture(n, w, s))

if __name__ == "__main__":
    sys.argv = [a for a in sys.argv if a != "--night"]
    unittest.main(verbosity=2)
