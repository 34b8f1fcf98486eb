#!/usr/bin/env python3
"""Writes random models with the logits that they must give: DIR/<family>.jsonl, a JSON object a line.

usage: make_cases.py DIR COUNT FIRST_SEED

A line holds config (a config.json), seed (of seeded_weights), ids (the prompt) and logits (after its last id).
tests/engine/oracle_test.cc reads it; tests/golden/oracle is made with 200 1.
"""

import json
import random
import sys
from pathlib import Path

import deepseek
import llama
import random_deepseek
import random_llama
import seeded_weights

# Nearer choices of experts than this may fall either way in fp32.
MARGIN = 1e-4

FAMILIES = {
    "deepseek": (random_deepseek.config, deepseek.table, deepseek.Oracle),
    "llama": (random_llama.config, llama.table, llama.Oracle),
}


def case(family: str, seed: int) -> dict | None:
    """None where the model's choices are too close to call."""
    make_config, table, oracle_class = FAMILIES[family]
    rng = random.Random(f"{family}/{seed}")
    config = make_config(rng)
    ids = [rng.randrange(config["vocab_size"]) for _ in range(rng.choice([1, 2, 7, 23, 64, 65, 100]))]
    oracle = oracle_class(config, seeded_weights.tensors(seed, table(config)))
    logits = [float(f"{value:.7g}") for value in oracle.logits(ids)]
    if oracle.margin < MARGIN:
        return None
    return {"config": config, "seed": seed, "ids": ids, "logits": logits}


def write(path: Path, family: str, count: int, seed: int) -> None:
    with path.open("w") as out:
        while count > 0:
            made = case(family, seed)
            seed += 1
            if made is not None:
                print(json.dumps(made, separators=(",", ":")), file=out)
                count -= 1


def main() -> None:
    directory, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    directory.mkdir(parents=True, exist_ok=True)
    for family in FAMILIES:
        write(directory / f"{family}.jsonl", family, count, seed)


if __name__ == "__main__":
    main()
