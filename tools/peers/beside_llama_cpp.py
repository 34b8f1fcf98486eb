"""Steps of the same model by Baton and by llama.cpp, in turns, on the processors that both may use.

usage: beside_llama_cpp.py --model DIR [--bench build/release/bin/baton-bench] [--cells 1x1@512,...] [--rounds 5]
                    [--threads 2] [--json FILE]

DIR is what tools/make_tiny_deepseek.py wrote. A cell is SEQUENCESxROWS@CONTEXT: so many sequences, each with so many
new tokens after so many cached ones. Needs llama-cpp-python and numpy; llama.cpp is called through its C functions, so
that no Python stands between two tokens. It runs with flash attention on and off, a cache a sequence, bf16; the better
of the two is what stands beside Baton. Medians of rounds in turns A B A B; the machine's limits are measured by Baton's
bench before and after each of its own, and a void round is said to be void.
"""
import argparse
import ctypes
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import llama_cpp
from llama_cpp import llama_cpp as llama

CELLS = "1x1@512,8x1@512,32x1@512,1x1@4096,8x1@4096,1x512@0,1x512@4096"
STEP_TOKENS = 512
SECONDS, STEPS_MIN = 0.5, 5


class Cell:
    def __init__(self, text):
        self.text = text
        sizes, context = text.split("@")
        self.sequences, self.rows = (int(n) for n in sizes.split("x"))
        self.context = int(context)

    @property
    def tokens(self):
        return self.sequences * self.rows


class Peer:
    """One context of llama.cpp with its cache filled up to the cell's context."""

    def __init__(self, model, cell, threads, flash):
        self.cell = cell
        steps = 64 if cell.rows == 1 else 1
        params = llama.llama_context_default_params()
        params.n_ctx = cell.sequences * -(-(cell.context + cell.rows * steps + 1) // 256) * 256
        params.n_batch = max(STEP_TOKENS, cell.tokens)
        params.n_ubatch = STEP_TOKENS
        params.n_seq_max = cell.sequences
        params.n_threads = params.n_threads_batch = threads
        params.flash_attn_type = 1 if flash else 0
        params.kv_unified = False
        params.no_perf = True
        self.context = llama.llama_init_from_model(model, params)
        if not self.context:
            raise RuntimeError(f"llama.cpp made no context for {cell.text}")
        self.memory = llama.llama_get_memory(self.context)
        self.batch = llama.llama_batch_init(params.n_batch, 0, cell.sequences)
        self.vocab = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
        self.at = 0
        self.fill()

    def close(self):
        llama.llama_batch_free(self.batch)
        llama.llama_free(self.context)

    def decode(self, sequences, first, rows):
        """Seconds of one llama_decode; the last row of each sequence has its logits."""
        batch = self.batch
        i = 0
        for sequence in range(sequences):
            for row in range(rows):
                batch.token[i] = (sequence * 7919 + row * 104729 + first) % self.vocab
                batch.pos[i] = first + row
                batch.n_seq_id[i] = 1
                batch.seq_id[i][0] = sequence
                batch.logits[i] = row == rows - 1
                i += 1
        batch.n_tokens = i
        start = time.perf_counter()
        status = llama.llama_decode(self.context, batch)
        llama.llama_synchronize(self.context)
        seconds = time.perf_counter() - start
        if status != 0:
            raise RuntimeError(f"llama_decode gave {status} for {self.cell.text}")
        return seconds

    def fill(self):
        """Sequence 0 is computed, the others are copies of it in caches of their own."""
        for first in range(0, self.cell.context, STEP_TOKENS):
            self.decode(1, first, min(STEP_TOKENS, self.cell.context - first))
        for sequence in range(1, self.cell.sequences):
            llama.llama_memory_seq_cp(self.memory, 0, sequence, -1, -1)
        self.at = self.cell.context

    def step(self):
        seconds = self.decode(self.cell.sequences, self.at, self.cell.rows)
        for sequence in range(self.cell.sequences):
            llama.llama_memory_seq_rm(self.memory, sequence, self.at, -1)
        return seconds

    def median(self):
        self.step()
        seconds = []
        while sum(seconds) < SECONDS or len(seconds) < STEPS_MIN:
            seconds.append(self.step())
        return statistics.median(seconds)


def ours(bench, model, cell, threads):
    """(seconds a step, share of the machine's limit, void) by Baton's own bench."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        done = subprocess.run([bench, "cpu", "--model", str(model / "hf"), "--threads", str(threads), "--steps", cell.text,
                               "--json", out.name], stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in (0, 3):
            sys.exit(f"{bench} ended with {done.returncode}")
        row = json.load(open(out.name))["rows"][0]
    return cell.tokens / row["tokens_per_s"], row["share"], row["void"]


def compare(cell, peers, args):
    flash = min(peers, key=lambda name: peers[name].median())
    mine, theirs, shares, void = [], [], [], 0
    for _ in range(args.rounds):
        seconds, share, is_void = ours(args.bench, args.model, cell, args.threads)
        mine.append(seconds)
        shares.append(share)
        void += is_void
        theirs.append(peers[flash].median())
    return {"cell": cell.text, "baton_tokens_per_s": cell.tokens / statistics.median(mine),
            "llama_cpp_tokens_per_s": cell.tokens / statistics.median(theirs),
            "ratio": statistics.median(theirs) / statistics.median(mine), "share": statistics.median(shares),
            "flash": flash, "void_rounds": void}


@llama.llama_log_callback
def be_quiet(level, text, data):
    """llama.cpp tells a page about each context."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--bench", default="build/release/bin/baton-bench")
    parser.add_argument("--cells", default=CELLS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json")
    args = parser.parse_args()

    llama.llama_log_set(be_quiet, ctypes.c_void_p(0))
    llama.llama_backend_init()
    model = llama.llama_model_load_from_file(str(args.model / "tiny.gguf").encode(), llama.llama_model_default_params())
    if not model:
        sys.exit(f"llama.cpp could not load {args.model}/tiny.gguf")
    info = llama.llama_print_system_info().decode()
    print(f"llama-cpp-python {llama_cpp.__version__}: {info}")
    rows = []
    for cell in (Cell(text) for text in args.cells.split(",")):
        peers = {name: Peer(model, cell, args.threads, name == "on") for name in ("on", "off")}
        row = compare(cell, peers, args)
        for peer in peers.values():
            peer.close()
        rows.append(row)
        print(f"{row['cell']:>12}  baton {row['baton_tokens_per_s']:8.0f}  llama.cpp {row['llama_cpp_tokens_per_s']:8.0f} "
              f"tokens/s  {row['ratio']:5.2f} x   {100 * row['share']:3.0f} % of the machine   flash attention "
              f"{row['flash']}, void rounds {row['void_rounds']}", flush=True)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps({"peer": llama_cpp.__version__, "system": info, "rows": rows}))


if __name__ == "__main__":
    main()
