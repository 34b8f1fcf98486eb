"""A model directory with tokenizer.json serves text: prompts, answers, streams, stops, and the pages around them."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.request

from cluster import BINARY, Cluster

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "models")
MODEL = os.path.join(GOLDEN, "v2_lite")
PROMPT = "Hello, wörld 123 漢字"


class TextTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(model=MODEL)
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()

    def post(self, path, **body):
        request = urllib.request.Request(f"http://127.0.0.1:{self.cluster.port}{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read().decode()

    def complete(self, **body):
        return json.loads(self.post("/v1/completions", prompt=PROMPT, temperature=0, **body))["choices"][0]

    def test_text_gives_what_its_ids_give_and_what_one_process_gives(self):
        ids = json.loads(self.post("/tokenize", prompt=PROMPT))["tokens"]
        self.assertEqual(PROMPT, json.loads(self.post("/detokenize", tokens=ids[1:]))["prompt"])
        whole = self.complete(max_tokens=24, ignore_eos=True)
        by_ids = json.loads(self.post("/v1/completions", prompt=ids, temperature=0, max_tokens=24, ignore_eos=True))
        self.assertEqual(by_ids["choices"][0]["text"], whole["text"])
        alone = subprocess.run([BINARY, "generate", MODEL, "--prompt", PROMPT, "--max-tokens", "24", "--ignore-eos", "--json"],
                               capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(alone.stdout)["text"], whole["text"])

    def test_a_stream_is_the_whole_text(self):
        whole = self.complete(max_tokens=32, ignore_eos=True)["text"]
        events = self.post("/v1/completions", prompt=PROMPT, temperature=0, max_tokens=32, ignore_eos=True, stream=True)
        deltas = [json.loads(line[6:]) for line in events.splitlines() if line.startswith("data: {")]
        self.assertEqual(whole, "".join(delta["choices"][0]["text"] for delta in deltas))

    def test_a_stop_string_ends_the_text_before_it(self):
        whole = self.complete(max_tokens=32, ignore_eos=True)["text"]
        stop = next(whole[i:i + 2] for i in range(4, len(whole) - 2) if "\ufffd" not in whole[i - 1:i + 3])
        stopped = self.complete(max_tokens=32, ignore_eos=True, stop=stop)
        self.assertEqual((whole[:whole.index(stop)], "stop"), (stopped["text"], stopped["finish_reason"]))

    def test_the_tokenizers_configuration_is_told(self):
        info = json.loads(self.cluster.get("/tokenizer_info")[1])
        self.assertEqual("<｜begin▁of▁sentence｜>", info["bos_token"])


class BrokenTokenizerTest(unittest.TestCase):
    def test_what_is_not_supported_is_named_at_start(self):
        with tempfile.TemporaryDirectory() as folder:
            for file in os.listdir(MODEL):
                shutil.copy(os.path.join(MODEL, file), folder)
            path = os.path.join(folder, "tokenizer.json")
            with open(path, encoding="utf-8") as file:
                parts = json.load(file)
            parts["pre_tokenizer"]["pretokenizers"][1] = {"type": "Metaspace"}
            with open(path, "w", encoding="utf-8") as file:
                json.dump(parts, file)
            done = subprocess.run([BINARY, "generate", folder, "--prompt", "x"], capture_output=True, text=True)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("tokenizer.json: pre_tokenizer.pretokenizers[1].type: \"Metaspace\" is not supported", done.stderr)


if __name__ == "__main__":
    unittest.main()
