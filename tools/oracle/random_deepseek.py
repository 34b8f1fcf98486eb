"""Random small configurations of DeepSeek V2 and V3, every switch of the family thrown both ways."""

import random


def _yarn(rng: random.Random) -> dict:
    scaling = {
        "type": "yarn",
        "factor": rng.choice([1.5, 4, 40]),
        "original_max_position_embeddings": rng.choice([16, 64, 4096]),
        "beta_fast": rng.choice([32, 8]),
        "beta_slow": 1,
    }
    if rng.random() < 0.8:
        scaling |= {"mscale": rng.choice([0.707, 1.0]), "mscale_all_dim": rng.choice([0.707, 1.0])}
    return scaling


def _experts(rng: random.Random, version: int) -> dict:
    method = "noaux_tc" if version == 3 else rng.choice(["greedy", "group_limited_greedy"])
    groups = 1 if method == "greedy" else rng.choice([1, 2, 4])
    size = rng.randint(2, 5)
    kept = rng.randint(1, groups)
    normalized = rng.random() < 0.5
    factor = 1.0 if version == 2 and normalized else rng.choice([1.0, 2.5, 16.0])
    return {
        "n_routed_experts": groups * size,
        "moe_intermediate_size": rng.randint(3, 24),
        "n_shared_experts": rng.randint(0, 2),
        "num_experts_per_tok": rng.randint(1, min(4, kept * size)),
        "topk_method": method,
        "scoring_func": "sigmoid" if version == 3 else "softmax",
        "n_group": groups,
        "topk_group": kept,
        "norm_topk_prob": normalized,
        "routed_scaling_factor": factor,
    }


def config(rng: random.Random) -> dict:
    version = rng.choice([2, 3])
    made = {
        "architectures": [f"DeepseekV{version}ForCausalLM"],
        "model_type": f"deepseek_v{version}",
        "hidden_size": rng.randint(6, 48),
        "num_attention_heads": rng.randint(1, 5),
        "num_hidden_layers": rng.randint(1, 3),
        "vocab_size": rng.randint(11, 24),
        "rms_norm_eps": rng.choice([1e-6, 1e-5]),
        "rope_theta": rng.choice([10000, 500000]),
        "q_lora_rank": rng.choice([None, rng.randint(3, 24)]),
        "kv_lora_rank": rng.randint(3, 40),
        "qk_nope_head_dim": rng.randint(1, 20),
        "qk_rope_head_dim": 2 * rng.randint(1, 8),
        "v_head_dim": rng.randint(1, 20),
        "intermediate_size": rng.randint(3, 48),
        "max_position_embeddings": 256,
        "first_k_dense_replace": rng.randint(0, 1),
        "moe_layer_freq": rng.choice([1, 1, 2]),
        "torch_dtype": "bfloat16",
    }
    if rng.random() < 0.85:
        made |= _experts(rng, version)
    if rng.random() < 0.6:
        made["rope_scaling"] = _yarn(rng)
    return made
