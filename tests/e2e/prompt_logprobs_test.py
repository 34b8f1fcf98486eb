"""What a model gives to a prompt's own tokens through a real cluster: every bit as `baton generate` gives it, whatever is
cached, wherever the prompt is cut, streamed or not, through a hand-off or without one; for latents and for heads."""
import http.client
import json
import os
import random
import signal
import unittest

from cluster import Cluster, HttpError, oracle

MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "models")
LENGTHS = [1, 2, 63, 64, 65, 128, 129, 300]
CHUNK = 64
K = 3
TOKENS = 4


def prompt_of(length, seed):
    rng = random.Random(seed)
    return [rng.randrange(3, 250) for _ in range(length)]


def entries(want):
    """The oracle's entries as `prompt_logprobs` spells them, without the tokens' names."""
    told = [None]
    for token in want:
        one = {str(token["token"]): (token["logprob"], token["rank"])}
        for rank, other in enumerate(token["top"], 1):
            one.setdefault(str(other["token"]), (other["logprob"], rank))
        told.append(one)
    return told


def plain(told):
    return [one and {key: (value["logprob"], value["rank"]) for key, value in one.items()} for one in told]


class PromptLogprobsTest(unittest.TestCase):
    def check(self, cluster, prompt, want):
        expected = entries(want.get("prompt_logprobs", []))
        logprobs = [None] + [token["logprob"] for token in want.get("prompt_logprobs", [])] + want["logprobs"]
        asked = {"max_tokens": TOKENS, "ignore_eos": True, "prompt_logprobs": K, "echo": True, "logprobs": 0}
        whole = cluster.complete(prompt, **asked)["choices"][0]
        self.assertEqual(want["token_ids"], whole["token_ids"])
        self.assertEqual(expected, plain(whole["prompt_logprobs"]))
        self.assertEqual(logprobs, whole["logprobs"]["token_logprobs"])
        self.assertEqual(len(prompt) + TOKENS, len(whole["logprobs"]["text_offset"]))
        streamed, told, text = [], None, ""
        for event in cluster.stream(prompt, **asked):
            for choice in event["choices"]:
                told = choice.get("prompt_logprobs", told)
                streamed += choice["logprobs"]["token_logprobs"]
                text += choice["text"]
        self.assertEqual((expected, logprobs, whole["text"]), (plain(told), streamed, text))

    def compare(self, name):
        model = os.path.join(MODELS, name)
        prompts = [prompt_of(length, length) for length in LENGTHS]
        wanted = oracle(prompts, model=model, max_tokens=TOKENS, ignore_eos=True, prompt_logprobs=K)
        for prefill, decode in ((1, 1), (0, 1)):
            with Cluster(model=model, prefill=prefill, decode=decode,
                         sets=(f"prefill.step_tokens_max={CHUNK}",)) as cluster:
                for turn in range(2):  # the second time all of it is cached at both ends
                    for prompt, want in zip(prompts, wanted):
                        with self.subTest(prefill=prefill, turn=turn, length=len(prompt)):
                            self.check(cluster, prompt, want)
                usage = cluster.complete(prompts[-1], max_tokens=1, prompt_logprobs=0)["usage"]
                self.assertEqual(0, usage["prompt_tokens_details"]["cached_tokens"])
                usage = cluster.complete(prompts[-1], max_tokens=1)["usage"]
                self.assertGreaterEqual(usage["prompt_tokens_details"]["cached_tokens"], 256)

    def test_pages_of_latents(self):
        self.compare("v2_lite")

    def test_pages_of_heads(self):
        self.compare("qwen3")


class PromptLogprobsFaultTest(unittest.TestCase):
    """Many at a time, and a prefill worker that is killed: each answer is whole, or a typed error."""

    def test_a_killed_prefill_worker_costs_no_bit(self):
        model = os.path.join(MODELS, "llama3")
        prompts = [prompt_of(200 + 30 * i, 1000 + i) for i in range(12)]
        wanted = oracle(prompts, model=model, max_tokens=TOKENS, ignore_eos=True, prompt_logprobs=1)
        with Cluster(model=model, prefill=2, decode=1, sets=(f"prefill.step_tokens_max={CHUNK}",)) as cluster:
            connections = [http.client.HTTPConnection("127.0.0.1", cluster.port, timeout=120) for _ in prompts]
            for connection, prompt in zip(connections, prompts):
                body = {"prompt": prompt, "temperature": 0, "max_tokens": TOKENS, "ignore_eos": True, "logprobs": 0,
                        "prompt_logprobs": 1, "return_token_ids": True}
                connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
            cluster.signal("prefill-0", signal.SIGKILL)
            for connection, want in zip(connections, wanted):
                response = connection.getresponse()
                answer = json.loads(response.read())
                self.assertEqual(200, response.status, answer)
                choice = answer["choices"][0]
                self.assertEqual(entries(want["prompt_logprobs"]), plain(choice["prompt_logprobs"]))
                self.assertEqual(want["token_ids"], choice["token_ids"])

    def test_what_is_beyond_the_bounds_is_a_typed_error(self):
        with Cluster() as cluster:
            for fields, param in (({"prompt_logprobs": 21}, "prompt_logprobs"), ({"prompt_logprobs": -1}, "prompt_logprobs"),
                                  ({"prompt_logprobs": 20, "n": 8}, "prompt_logprobs")):
                with self.assertRaises(HttpError) as caught:
                    cluster.complete([7] * 2000, max_tokens=1, **fields)
                self.assertEqual((400, param), (caught.exception.status, caught.exception.error["param"]))


if __name__ == "__main__":
    unittest.main()
