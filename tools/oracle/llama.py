"""Llama 3, Qwen 2.5 and Qwen 3 derived from the papers and the released code.

Sources: arXiv 2407.21783, 2412.15115, 2505.09388; Llama 3.1's models/llama3/reference_impl/model.py.
"""

import math

import numpy as np

from parts import causal_attention, gated_mlp, rms_norm, yarn_frequencies, yarn_gain


def head_dim(config: dict) -> int:
    return config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]


def has_bias(config: dict, projection: str) -> bool:
    """Of q, k, v or o."""
    if config["model_type"] == "qwen2":
        return projection != "o"
    return config.get("attention_bias", False)


def table(config: dict) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor."""
    hidden, dim, inter = config["hidden_size"], head_dim(config), config["intermediate_size"]
    wide, narrow = config["num_attention_heads"] * dim, config["num_key_value_heads"] * dim
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config["vocab_size"], hidden),
        "model.norm.weight": (hidden,),
    }
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (config["vocab_size"], hidden)
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        shapes[f"{at}.input_layernorm.weight"] = (hidden,)
        shapes[f"{at}.post_attention_layernorm.weight"] = (hidden,)
        for name, shape in (
            ("q", (wide, hidden)),
            ("k", (narrow, hidden)),
            ("v", (narrow, hidden)),
            ("o", (hidden, wide)),
        ):
            shapes[f"{at}.self_attn.{name}_proj.weight"] = shape
            if has_bias(config, name):
                shapes[f"{at}.self_attn.{name}_proj.bias"] = shape[:1]
        if config["model_type"] == "qwen3":
            shapes[f"{at}.self_attn.q_norm.weight"] = (dim,)
            shapes[f"{at}.self_attn.k_norm.weight"] = (dim,)
        shapes[f"{at}.mlp.gate_proj.weight"] = (inter, hidden)
        shapes[f"{at}.mlp.up_proj.weight"] = (inter, hidden)
        shapes[f"{at}.mlp.down_proj.weight"] = (hidden, inter)
    return shapes


def llama3_frequencies(dim: int, theta: float, scaling: dict) -> np.ndarray:
    base = theta ** (-2.0 * np.arange(dim // 2) / dim)
    turns = scaling["original_max_position_embeddings"] * base / (2 * math.pi)  # within the trained length
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    kept = np.clip((turns - low) / (high - low), 0, 1)
    return base * (kept + (1 - kept) / scaling["factor"])


class Oracle:
    """Logits of one model. No choice among experts is made, so `margin` stays infinite."""

    margin = math.inf

    def __init__(self, config: dict, weights: dict[str, np.ndarray]):
        self.config = config
        self.weights = weights

    def logits(self, ids: list[int]) -> np.ndarray:
        """[vocab] after the last of `ids`."""
        config, w = self.config, self.weights
        x = w["model.embed_tokens.weight"][ids]
        for layer in range(config["num_hidden_layers"]):
            at = f"model.layers.{layer}"
            x = x + self._attention(f"{at}.self_attn", self._norm(f"{at}.input_layernorm", x))
            h = self._norm(f"{at}.post_attention_layernorm", x)
            x = x + gated_mlp(h, *(w[f"{at}.mlp.{part}_proj.weight"] for part in ("gate", "up", "down")))
        head = "model.embed_tokens" if config["tie_word_embeddings"] else "lm_head"
        return self._norm("model.norm", x[-1]) @ w[f"{head}.weight"].T

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        return rms_norm(x, self.weights[f"{name}.weight"], self.config["rms_norm_eps"])

    def _project(self, name: str, x: np.ndarray) -> np.ndarray:
        return x @ self.weights[f"{name}.weight"].T + self.weights.get(f"{name}.bias", 0.0)

    def _attention(self, at: str, x: np.ndarray) -> np.ndarray:
        config, dim = self.config, head_dim(self.config)
        q, k, v = (self._project(f"{at}.{name}_proj", x).reshape(len(x), -1, dim) for name in "qkv")
        if config["model_type"] == "qwen3":
            q, k = self._norm(f"{at}.q_norm", q), self._norm(f"{at}.k_norm", k)
        group = config["num_attention_heads"] // config["num_key_value_heads"]
        q, k = self._rotate(q), np.repeat(self._rotate(k), group, axis=1)
        out = causal_attention(q, k, np.repeat(v, group, axis=1), dim**-0.5)
        return self._project(f"{at}.o_proj", out.reshape(len(x), -1))

    def _rotate(self, x: np.ndarray) -> np.ndarray:
        """Halves of x [tokens, heads, dim], by the angle of each token's position."""
        dim, theta = x.shape[-1], self.config["rope_theta"]
        scaling = self.config.get("rope_scaling") or {}
        gain = 1.0
        if scaling.get("rope_type") == "llama3":
            frequencies = llama3_frequencies(dim, theta, scaling)
        elif scaling:
            frequencies = yarn_frequencies(dim, theta, scaling)
            gain = yarn_gain(scaling, 1)
        else:
            frequencies = theta ** (-2.0 * np.arange(dim // 2) / dim)
        turn = np.exp(1j * np.arange(len(x))[:, None] * frequencies)[:, None, :] * gain
        turned = (x[..., : dim // 2] + 1j * x[..., dim // 2 :]) * turn
        return np.concatenate([turned.real, turned.imag], axis=-1)
