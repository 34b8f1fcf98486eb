"""A model directory with tokenizer.json serves text: prompts, answers, streams, stops, and the pages around them."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.request

from cluster import BINARY, Cluster

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "models")
MODEL = os.path.join(GOLDEN, "v2_lite")
PROMPT = "Hello, wörld 123 漢字"
CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi, <|im_start|> <｜User｜> ünïcode 42?"},
        {"role": "assistant", "content": "Well."}, {"role": "user", "content": "Go on."}]


def alone(model, *flags):
    """What one process answers."""
    done = subprocess.run([BINARY, "generate", model, "--max-tokens", "24", "--ignore-eos", "--json", *flags],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class ServesText:
    """What holds for every model directory with a tokenizer and a template."""

    model, bos, tokens_before = None, None, 0

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(model=cls.model)
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
        self.assertEqual(PROMPT, json.loads(self.post("/detokenize", tokens=ids[self.tokens_before:]))["prompt"])
        whole = self.complete(max_tokens=24, ignore_eos=True)
        by_ids = json.loads(self.post("/v1/completions", prompt=ids, temperature=0, max_tokens=24, ignore_eos=True))
        self.assertEqual(by_ids["choices"][0]["text"], whole["text"])
        self.assertEqual(alone(self.model, "--prompt", PROMPT)["text"], whole["text"])

    def test_a_chat_is_its_template_rendered_and_answered_as_one_process_does(self):
        ids = json.loads(self.post("/tokenize", messages=CHAT))["tokens"]
        names = json.loads(self.post("/tokenize", messages=CHAT, return_token_strs=True))["token_strs"]
        control = "<｜User｜>" if self.model == MODEL else "<|im_start|>"
        wanted = 2 if self.model == MODEL else 5  # of the template; the client's own is text
        self.assertEqual(wanted, names.count(control), names)
        want = alone(self.model, "--prompt-ids", ",".join(map(str, ids)))
        asked = {"messages": CHAT, "temperature": 0, "max_tokens": 24, "ignore_eos": True}
        whole = json.loads(self.post("/v1/chat/completions", return_token_ids=True, **asked))
        self.assertEqual(ids, whole["prompt_token_ids"])
        choice = whole["choices"][0]
        self.assertEqual((want["token_ids"], want["text"]), (choice["token_ids"], choice["message"]["content"]))
        events = self.post("/v1/chat/completions", stream=True, **asked)
        deltas = [json.loads(line[6:]) for line in events.splitlines() if line.startswith("data: {")]
        self.assertEqual(want["text"], "".join(delta["choices"][0]["delta"]["content"] for delta in deltas))

    def test_an_echo_stands_before_its_answer(self):
        whole = self.complete(max_tokens=8, ignore_eos=True)["text"]
        echoed = self.complete(max_tokens=8, ignore_eos=True, echo=True, logprobs=0)
        self.assertEqual(PROMPT + whole, echoed["text"])
        offsets = echoed["logprobs"]["text_offset"]
        self.assertEqual((0, sorted(offsets)), (offsets[0], offsets))
        self.assertEqual(len(PROMPT), offsets[-8])

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
        self.assertEqual(self.bos, info["bos_token"])


class LatentsTextTest(ServesText, unittest.TestCase):
    model, bos, tokens_before = MODEL, "<｜begin▁of▁sentence｜>", 1


class HeadsTextTest(ServesText, unittest.TestCase):
    model, bos, tokens_before = os.path.join(GOLDEN, "qwen2"), None, 0


class PlainStartTest(unittest.TestCase):
    """A directory and a port, and nothing else said."""

    def test_a_directory_is_served_and_its_memory_told_before_it_is_loaded(self):
        for name in ("v3", "llama3"):
            with self.subTest(name), Cluster(model=os.path.join(GOLDEN, name), plain=True) as cluster:
                answer = cluster.complete("The capital of France is", max_tokens=5, ignore_eos=True)["choices"][0]
                self.assertEqual(5, len(answer["token_ids"]))
                log = cluster.log()
                told = re.search(r"memory: weights [\d.]+ GiB, (\d+) pages of (\d+) tokens [\d.]+ GiB: (\d+) tokens fit", log)
                self.assertIsNotNone(told, log)
                pages, page_tokens, tokens = map(int, told.groups())
                self.assertEqual(pages * page_tokens, tokens)
                self.assertLess(told.start(), log.index(" revision "), "told when it is too late")


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
