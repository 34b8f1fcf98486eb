"""Every architecture against transformers' own classes, on prompts that nobody has seen: fp32 arithmetic, the
log-probability of every token of the prompt and of the answer, its rank and the likeliest, greedy answers. The packages live in
a venv of this test's own, pinned; torch is large, so this runs by night, and is skipped aloud where it cannot be had."""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

PACKAGES = ["torch==2.9.1", "transformers==5.23.0"]
SKIPPED = 77
MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "models")
NAMES = ["v2_lite", "v2_group", "v2_mscales", "v3", "llama3", "qwen2", "qwen3"]
BATON = os.environ["BATON_BINARY"]
SEED = int(os.environ.get("BATON_SEED", str(time.time_ns() % 10**9)))
LENGTHS = [1, 2, 3, 17, 64, 65, 130, 257, 700]
TOKENS = 12
TOLERANCE = 2e-3  # of a log-probability; sums in another order alone move it by 5e-4
TOP = 5


def ours(model, prompts):
    with tempfile.NamedTemporaryFile("w", suffix=".ids") as file:
        file.writelines(",".join(map(str, prompt)) + "\n" for prompt in prompts)
        file.flush()
        done = subprocess.run([BATON, "generate", model, "--prompt-ids", "@" + file.name, "--max-tokens", str(TOKENS),
                               "--ignore-eos", "--json", "--logprobs", str(TOP), "--prompt-logprobs", str(TOP), "--dtype",
                               "float32"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{model}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Comparison:
    def __init__(self, name):
        self.name, self.worst, self.tokens = name, 0.0, 0

    def near(self, what, expected, found):
        self.worst = max(self.worst, abs(expected - found))
        if abs(expected - found) > TOLERANCE:
            sys.exit(f"{self.name}, seed {SEED}: {what}: transformers {expected}, Baton {found}")

    def row(self, what, expected, token, logprob, top):
        """One position: `expected` is transformers' log-softmax over the vocabulary."""
        self.tokens += 1
        self.near(f"{what}, token {token}", expected[token].item(), logprob)
        best = expected.topk(len(top))
        for (one, value) in zip(top, best.values.tolist()):  # ids may change places where values are as good as equal
            self.near(f"{what}, a likeliest", value, one["logprob"])
            self.near(f"{what}, likely token {one['token']}", expected[one["token"]].item(), one["logprob"])


def compare(name):
    import torch
    from transformers import AutoModelForCausalLM

    model = os.path.join(MODELS, name)
    plain = {"attn_implementation": "eager", "experts_implementation": "eager"}  # the fast ones want round shapes
    peer = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32, **plain).eval()
    rng = random.Random(f"{SEED} {name}")
    with open(os.path.join(model, "config.json"), encoding="utf-8") as file:
        vocabulary = json.load(file)["vocab_size"]
    prompts = [[rng.randrange(vocabulary) for _ in range(length)] for length in LENGTHS]
    told = Comparison(name)
    for prompt, answer in zip(prompts, ours(model, prompts), strict=True):
        with torch.no_grad():
            ids = prompt + answer["token_ids"]
            rows = torch.log_softmax(peer(torch.tensor([ids])).logits[0].float(), -1)
        for i, token in enumerate(answer.get("prompt_logprobs", [])):
            what = f"prompt of {len(prompt)}, position {i + 1}"
            told.row(what, rows[i], token["token"], token["logprob"], token["top"])
            better = int((rows[i] > rows[i][token["token"]]).sum())
            surely = int((rows[i] > rows[i][token["token"]] + TOLERANCE).sum())
            maybe = int((rows[i] > rows[i][token["token"]] - TOLERANCE).sum())
            if not surely < token["rank"] <= maybe + 1:
                sys.exit(f"{name}, seed {SEED}: {what}: rank {token['rank']}, transformers {better + 1}")
        for i, token in enumerate(answer["token_ids"]):
            row = rows[len(prompt) - 1 + i]
            told.row(f"prompt of {len(prompt)}, answer {i}", row, token, answer["logprobs"][i], answer["top_logprobs"][i])
    print(f"{name}: {told.tokens} positions, largest difference {told.worst:.1e}", flush=True)


def in_venv():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        got = subprocess.run([folder + "/bin/pip", "-q", "install", *PACKAGES], capture_output=True, text=True)
        if got.returncode != 0:
            print(f"skipped: {' and '.join(PACKAGES)} cannot be had here, nothing was compared: {got.stderr.strip()[-300:]}")
            return SKIPPED
        quiet = {"PYTHONDONTWRITEBYTECODE": "1", "HF_HUB_OFFLINE": "1"}
        return subprocess.run([folder + "/bin/python", "-W", "ignore", *sys.argv], env={**os.environ, **quiet}).returncode


if __name__ == "__main__":
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError:
        sys.exit(in_venv())
    for one in sys.argv[1:] or NAMES:
        compare(one)
