"""Bad input and the ordinary API of a real cluster: errors name what is wrong, and nothing falls over."""
import http.client
import json
import subprocess
import unittest

from cluster import BINARY, Cluster, HttpError


class ApiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster().__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    def post(self, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.cluster.port, timeout=30)
        connection.request("POST", path, body if isinstance(body, (bytes, str)) else json.dumps(body),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text)

    def refused(self, status, body, param=None, code=None, path="/v1/completions"):
        got, answer = self.post(path, body)
        self.assertEqual(status, got, answer)
        self.assertEqual({"message", "type", "param", "code"}, set(answer["error"]))
        if param:
            self.assertEqual(param, answer["error"]["param"])
        if code:
            self.assertEqual(code, answer["error"]["code"])

    def test_bad_requests_are_refused_by_name(self):
        self.refused(400, "{", code="invalid_json")
        self.refused(400, {"prompt": 7}, param="prompt")
        self.refused(400, {"prompt": "x", "temperature": 9}, param="temperature")
        self.refused(400, {"prompt": "x", "max_tokens": 0}, param="max_tokens")
        self.refused(400, {"prompt": [1, 2, 100000]})
        self.refused(400, {"prompt": "x" * 9000}, code="context_length_exceeded")
        self.refused(404, {"prompt": "x", "model": "no-such-model"}, code="model_not_found")
        self.refused(404, {}, path="/v1/nothing", code="unknown_url")

    def test_chat_recalls(self):
        status, answer = self.post("/v1/chat/completions", {
            "messages": [{"role": "user", "content": "kite=4821;moss=0937;lamp=1111;fern=2222;moss="}],
            "max_tokens": 5, "temperature": 0})
        self.assertEqual(200, status, answer)
        self.assertEqual("0937;", answer["choices"][0]["message"]["content"])

    def test_text_round_trips_and_the_model_is_listed(self):
        tokens = self.post("/tokenize", {"prompt": "kite=4821;", "add_special_tokens": False})[1]
        self.assertEqual(list(b"kite=4821;"), tokens["tokens"])
        self.assertEqual("kite=4821;", self.post("/detokenize", {"tokens": tokens["tokens"]})[1]["prompt"])
        self.assertEqual("list", json.loads(self.cluster.get("/v1/models")[1])["object"])
        for page in ("/health", "/livez", "/readyz", "/metrics"):
            self.assertEqual(200, self.cluster.get(page)[0], page)

    def test_a_stop_string_ends_the_answer(self):
        got = self.cluster.complete("kite=4821;moss=0937;lamp=1111;moss=", max_tokens=20, stop=["37"])
        self.assertEqual("09", got["choices"][0]["text"])
        self.assertEqual("stop", got["choices"][0]["finish_reason"])

    def test_a_seed_repeats_a_sample(self):
        ask = lambda seed: self.cluster.complete("kite=4821;", max_tokens=12, temperature=1.5, seed=seed,
                                                 ignore_eos=True)["choices"][0]["token_ids"]
        self.assertEqual(ask(7), ask(7))


class StartTest(unittest.TestCase):
    def fails(self, *arguments, code=1, says=""):
        done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60)
        self.assertEqual(code, done.returncode, done.stderr)
        self.assertIn(says, done.stderr)

    def test_a_wrong_start_says_why(self):
        self.fails("decode", "builtin:recall-nano", "--set", "router.prot=1", code=2, says="did you mean")
        self.fails("decode", "/no/such/directory", "--router", "127.0.0.1:9", says="/no/such/directory")
        self.fails("router", "--set", "router.grpc_host=192.0.2.1", code=2, says="loopback")
        self.fails("generate", "builtin:recall-nano", "--prompt-ids", "1,2,99999", says="vocabulary")

    def test_a_taken_port_is_one_line(self):
        with Cluster() as cluster:
            self.fails("up", "builtin:recall-nano", "--port", str(cluster.port), says="taken")


if __name__ == "__main__":
    unittest.main(verbosity=2)
