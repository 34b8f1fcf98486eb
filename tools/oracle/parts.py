"""What every architecture's oracle is put together from, in double precision."""

import math

import numpy as np


def rms_norm(x: np.ndarray, weight: np.ndarray, epsilon: float) -> np.ndarray:
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * weight


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def gated_mlp(x: np.ndarray, gate: np.ndarray, up: np.ndarray, down: np.ndarray) -> np.ndarray:
    return (silu(x @ gate.T) * (x @ up.T)) @ down.T


def yarn_frequencies(dim: int, theta: float, scaling: dict) -> np.ndarray:
    """Radians a position of each pair, stretched where it turns less than beta_slow times."""
    pair = np.arange(dim // 2)
    base = theta ** (-2.0 * pair / dim)
    trained = scaling["original_max_position_embeddings"]

    def pair_that_turns(times: float) -> float:
        return dim * math.log(trained / (times * 2 * math.pi)) / (2 * math.log(theta))

    low = max(0, math.floor(pair_that_turns(scaling.get("beta_fast", 32))))
    high = min(dim - 1, math.ceil(pair_that_turns(scaling.get("beta_slow", 1))))
    stretched = np.clip((pair - low) / (high - low if high != low else 0.001), 0, 1)
    return base * (1 - stretched) + base / scaling["factor"] * stretched


def yarn_gain(scaling: dict, mscale: float) -> float:
    return 1.0 if scaling["factor"] <= 1 else 0.1 * mscale * math.log(scaling["factor"]) + 1.0


def causal_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, scale: float) -> np.ndarray:
    """q, k [tokens, heads, dim], v [tokens, heads, dim_v] -> [tokens, heads, dim_v]."""
    scores = np.einsum("qhd,khd->hqk", q, k) * scale
    hidden = np.triu(np.ones((len(q), len(k)), dtype=bool), 1)
    return np.einsum("hqk,khd->qhd", softmax(np.where(hidden, -np.inf, scores)), v)
