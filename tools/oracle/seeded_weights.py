"""Weights as a pure function of (seed, tensor's name): the same here and in the C++ tests.

u in [0, 1) is the upper 24 bits of Philox(key = first 64 bits of SHA-256("seed/name"), counter i).
A matrix is +-sqrt(3 / fan_in) (2 u - 1), a bias u - 0.75, a norm 0.5 + u; all rounded to bf16.
"""

import hashlib
import math

import numpy as np

import philox

Table = dict[str, tuple[int, ...]]


def round_to_bf16(values: np.ndarray) -> np.ndarray:
    """Nearest bf16, ties to even; values are finite."""
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    bits = (bits + np.uint64(0x7FFF) + ((bits >> np.uint64(16)) & np.uint64(1))) & np.uint64(0xFFFF0000)
    return bits.astype(np.uint32).view(np.float32).astype(np.float64)


def tensor(seed: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    key = (int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little"))
    count = math.prod(shape)
    unit = (philox.first_words(key, count) >> np.uint64(8)).astype(np.float64) * 2.0**-24
    if len(shape) > 1:
        values = math.sqrt(3.0 / shape[-1]) * (2 * unit - 1)
    elif name.endswith("bias"):
        values = unit - 0.75
    else:
        values = 0.5 + unit
    return round_to_bf16(values).reshape(shape)


def tensors(seed: int, table: Table) -> dict[str, np.ndarray]:
    return {name: tensor(seed, name, shape) for name, shape in table.items()}
