"""Random small configurations of Llama 3, Qwen 2.5 and Qwen 3, every switch of the families thrown both ways."""

import random


def _scaling(rng: random.Random) -> dict:
    trained = rng.choice([16, 64, 8192])
    if rng.random() < 0.5:
        return {"type": "yarn", "factor": rng.choice([1.5, 4.0]), "original_max_position_embeddings": trained}
    return {
        "rope_type": "llama3",
        "factor": rng.choice([8.0, 32.0]),
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": trained,
    }


def config(rng: random.Random) -> dict:
    family, name = rng.choice([("llama", "Llama"), ("qwen2", "Qwen2"), ("qwen3", "Qwen3")])
    kv_heads, dim = rng.randint(1, 3), 2 * rng.randint(1, 12)
    heads = kv_heads * rng.choice([1, 2, 3, 7] if kv_heads == 1 else [1, 2, 3])
    made = {
        "architectures": [f"{name}ForCausalLM"],
        "model_type": family,
        "hidden_size": heads * dim if family == "qwen2" else rng.randint(6, 48),
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "num_hidden_layers": rng.randint(1, 3),
        "intermediate_size": rng.randint(3, 48),
        "vocab_size": rng.randint(11, 24),
        "rms_norm_eps": rng.choice([1e-6, 1e-5]),
        "rope_theta": rng.choice([10000.0, 500000.0, 1000000.0]),
        "max_position_embeddings": 256,
        "tie_word_embeddings": rng.random() < 0.5,
        "torch_dtype": "bfloat16",
    }
    if family != "qwen2":
        made |= {"head_dim": dim, "attention_bias": rng.random() < 0.3}
    if rng.random() < 0.6:
        made["rope_scaling"] = _scaling(rng)
    return made
