"""DeepSeek V2 and V3 derived from the papers and the released code: naive attention, every expert on every token.

Sources: arXiv 2405.04434, 2412.19437; deepseek-ai/DeepSeek-V3 inference/model.py; the V2 remote code.
"""

import math

import numpy as np

from parts import causal_attention, gated_mlp, rms_norm, softmax, yarn_frequencies, yarn_gain

LOW_RANK_EPSILON = 1e-6


def is_moe(config: dict, layer: int) -> bool:
    first, stride = config["first_k_dense_replace"], config["moe_layer_freq"]
    return bool(config.get("n_routed_experts")) and layer >= first and layer % stride == 0


def table(config: dict) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    nope, rope, v = (config[f"{name}_head_dim"] for name in ("qk_nope", "qk_rope", "v"))
    latent, low = config["kv_lora_rank"], config["q_lora_rank"]
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config["vocab_size"], hidden),
        "model.norm.weight": (hidden,),
        "lm_head.weight": (config["vocab_size"], hidden),
    }

    def mlp(prefix: str, inter: int) -> None:
        shapes[f"{prefix}.gate_proj.weight"] = (inter, hidden)
        shapes[f"{prefix}.up_proj.weight"] = (inter, hidden)
        shapes[f"{prefix}.down_proj.weight"] = (hidden, inter)

    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        shapes[f"{at}.input_layernorm.weight"] = (hidden,)
        shapes[f"{at}.post_attention_layernorm.weight"] = (hidden,)
        attention = f"{at}.self_attn"
        if low:
            shapes[f"{attention}.q_a_proj.weight"] = (low, hidden)
            shapes[f"{attention}.q_a_layernorm.weight"] = (low,)
        shapes[f"{attention}.{'q_b_proj' if low else 'q_proj'}.weight"] = (heads * (nope + rope), low or hidden)
        shapes[f"{attention}.kv_a_proj_with_mqa.weight"] = (latent + rope, hidden)
        shapes[f"{attention}.kv_a_layernorm.weight"] = (latent,)
        shapes[f"{attention}.kv_b_proj.weight"] = (heads * (nope + v), latent)
        shapes[f"{attention}.o_proj.weight"] = (hidden, heads * v)
        if not is_moe(config, layer):
            mlp(f"{at}.mlp", config["intermediate_size"])
            continue
        experts, inter = config["n_routed_experts"], config["moe_intermediate_size"]
        shapes[f"{at}.mlp.gate.weight"] = (experts, hidden)
        if config["topk_method"] == "noaux_tc":
            shapes[f"{at}.mlp.gate.e_score_correction_bias"] = (experts,)
        for expert in range(experts):
            mlp(f"{at}.mlp.experts.{expert}", inter)
        if config["n_shared_experts"]:
            mlp(f"{at}.mlp.shared_experts", config["n_shared_experts"] * inter)
    return shapes


class Oracle:
    """Logits of one model. `margin` is the least distance seen between a choice of experts or groups and the next."""

    def __init__(self, config: dict, weights: dict[str, np.ndarray]):
        self.config = config
        self.weights = weights
        self.margin = math.inf

    def logits(self, ids: list[int]) -> np.ndarray:
        """[vocab] after the last of `ids`."""
        config, w = self.config, self.weights
        x = w["model.embed_tokens.weight"][ids]
        for layer in range(config["num_hidden_layers"]):
            at = f"model.layers.{layer}"
            x = x + self._attention(at, self._norm(f"{at}.input_layernorm", x))
            h = self._norm(f"{at}.post_attention_layernorm", x)
            x = x + (self._experts(at, h) if is_moe(config, layer) else self._mlp(f"{at}.mlp", h))
        return self._norm("model.norm", x[-1]) @ w["lm_head.weight"].T

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        return rms_norm(x, self.weights[f"{name}.weight"], self.config["rms_norm_eps"])

    def _mlp(self, at: str, x: np.ndarray) -> np.ndarray:
        return gated_mlp(x, *(self.weights[f"{at}.{part}_proj.weight"] for part in ("gate", "up", "down")))

    def _attention(self, at: str, x: np.ndarray) -> np.ndarray:
        config, tokens = self.config, len(x)
        heads, latent = config["num_attention_heads"], config["kv_lora_rank"]
        nope, rope = config["qk_nope_head_dim"], config["qk_rope_head_dim"]

        def w(name: str) -> np.ndarray:
            return self.weights[f"{at}.self_attn.{name}.weight"]

        if config["q_lora_rank"]:
            low = rms_norm(x @ w("q_a_proj").T, w("q_a_layernorm"), LOW_RANK_EPSILON)
            q = low @ w("q_b_proj").T
        else:
            q = x @ w("q_proj").T
        q = q.reshape(tokens, heads, nope + rope)
        down = x @ w("kv_a_proj_with_mqa").T
        c = rms_norm(down[:, :latent], w("kv_a_layernorm"), LOW_RANK_EPSILON)
        up = (c @ w("kv_b_proj").T).reshape(tokens, heads, -1)
        k_rope = np.repeat(self._rotate(down[:, None, latent:]), heads, axis=1)
        k = np.concatenate([up[..., :nope], k_rope], axis=-1)
        q = np.concatenate([q[..., :nope], self._rotate(q[..., nope:])], axis=-1)
        out = causal_attention(q, k, up[..., nope:], self._softmax_scale())
        return out.reshape(tokens, -1) @ w("o_proj").T

    def _softmax_scale(self) -> float:
        scale = (self.config["qk_nope_head_dim"] + self.config["qk_rope_head_dim"]) ** -0.5
        scaling = self.config.get("rope_scaling")
        return scale if not scaling else scale * yarn_gain(scaling, scaling.get("mscale_all_dim", 0)) ** 2

    def _rotate(self, x: np.ndarray) -> np.ndarray:
        """Interleaved pairs of x [tokens, heads, rope], by the angle of each token's position."""
        dim, theta, scaling = x.shape[-1], self.config["rope_theta"], self.config.get("rope_scaling")
        gain = 1.0
        if scaling:
            frequencies = yarn_frequencies(dim, theta, scaling)
            gain = yarn_gain(scaling, scaling.get("mscale", 1)) / yarn_gain(scaling, scaling.get("mscale_all_dim", 0))
        else:
            frequencies = theta ** (-2.0 * np.arange(dim // 2) / dim)
        turn = np.exp(1j * np.arange(len(x))[:, None] * frequencies)[:, None, :] * gain
        turned = (x[..., 0::2] + 1j * x[..., 1::2]) * turn
        return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)

    def _experts(self, at: str, x: np.ndarray) -> np.ndarray:
        config = self.config
        scores = x @ self.weights[f"{at}.mlp.gate.weight"].T
        biased = config["topk_method"] == "noaux_tc"
        scores = 1 / (1 + np.exp(-scores)) if biased else softmax(scores)
        choice = scores + self.weights[f"{at}.mlp.gate.e_score_correction_bias"] if biased else scores
        if config["topk_method"] != "greedy":
            choice = self._keep_groups(choice, 2 if biased else 1)
        chosen = self._best(choice, config["num_experts_per_tok"])
        weights = np.where(chosen, scores, 0.0)
        if config["norm_topk_prob"] and config["num_experts_per_tok"] > 1:
            weights = weights / (weights.sum(axis=-1, keepdims=True) + 1e-20)
        weights = weights * config["routed_scaling_factor"]
        out = self._mlp(f"{at}.mlp.shared_experts", x) if config["n_shared_experts"] else np.zeros_like(x)
        for expert in range(config["n_routed_experts"]):
            out = out + weights[:, expert : expert + 1] * self._mlp(f"{at}.mlp.experts.{expert}", x)
        return out

    def _keep_groups(self, choice: np.ndarray, best: int) -> np.ndarray:
        """-inf outside the groups whose `best` best experts sum highest."""
        grouped = choice.reshape(len(choice), self.config["n_group"], -1)
        worth = np.sort(grouped, axis=-1)[..., -best:].sum(axis=-1)
        kept = self._best(worth, self.config["topk_group"])
        return np.where(kept[..., None], grouped, -np.inf).reshape(choice.shape)

    def _best(self, values: np.ndarray, count: int) -> np.ndarray:
        """True at the `count` largest of each row."""
        order = np.argsort(-values, axis=-1, kind="stable")
        ranked = np.take_along_axis(values, order, axis=-1)
        if count < values.shape[-1]:
            self.margin = min(self.margin, float(np.min(ranked[:, count - 1] - ranked[:, count])))
        chosen = np.zeros(values.shape, dtype=bool)
        np.put_along_axis(chosen, order[:, :count], True, axis=-1)
        return chosen
