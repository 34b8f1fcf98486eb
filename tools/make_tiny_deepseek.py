"""Writes the model that CPU figures are told of (tests/bench/tiny_deepseek.h) with random weights, once as a
Hugging Face directory and once as GGUF, with the same bits: what two programs compute can then be compared, and what
they take for it.

usage: make_tiny_deepseek.py OUT_DIRECTORY      (needs numpy and gguf)

OUT_DIRECTORY/hf holds config.json and model.safetensors, OUT_DIRECTORY/tiny.gguf the rest. Weights are normal with a
deviation of 1/sqrt(fan in), the embedding's is 0.02, norms are 1; all are rounded to bf16. There is no tokenizer:
token ids go in and come out.
"""
import json
import pathlib
import re
import struct
import sys
import zlib

import gguf
import numpy as np

HEADER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "bench" / "tiny_deepseek.h"
NORMS_IN_F32 = {"ffn_gate_inp", "attn_norm", "attn_kv_a_norm", "ffn_norm", "output_norm"}


def read_config():
    return json.loads(re.search(r'R"\((\{.*\})\)"', HEADER.read_text(), re.DOTALL).group(1))


def rounded(values):
    """To the nearest bf16, ties to even; stays float32."""
    bits = values.astype(np.float32).view(np.uint32)
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return bits.astype(np.uint32).view(np.float32)


def weight(name, *shape):
    if name.endswith("norm.weight"):
        return np.ones(shape, np.float32)
    random = np.random.default_rng(zlib.crc32(name.encode()))
    deviation = 0.02 if "embed" in name else shape[-1] ** -0.5
    return rounded(random.standard_normal(shape, np.float32) * np.float32(deviation))


def tensors(c):
    """(name, array) as a checkpoint has them."""
    hidden, heads, latent = c["hidden_size"], c["num_attention_heads"], c["kv_lora_rank"]
    nope, rope, value = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"]

    def mlp(prefix, inter):
        yield f"{prefix}.gate_proj.weight", (inter, hidden)
        yield f"{prefix}.up_proj.weight", (inter, hidden)
        yield f"{prefix}.down_proj.weight", (hidden, inter)

    def shapes():
        yield "model.embed_tokens.weight", (c["vocab_size"], hidden)
        for i in range(c["num_hidden_layers"]):
            layer = f"model.layers.{i}"
            yield f"{layer}.input_layernorm.weight", (hidden,)
            yield f"{layer}.self_attn.q_proj.weight", (heads * (nope + rope), hidden)
            yield f"{layer}.self_attn.kv_a_proj_with_mqa.weight", (latent + rope, hidden)
            yield f"{layer}.self_attn.kv_a_layernorm.weight", (latent,)
            yield f"{layer}.self_attn.kv_b_proj.weight", (heads * (nope + value), latent)
            yield f"{layer}.self_attn.o_proj.weight", (hidden, heads * value)
            yield f"{layer}.post_attention_layernorm.weight", (hidden,)
            if i < c["first_k_dense_replace"]:
                yield from mlp(f"{layer}.mlp", c["intermediate_size"])
                continue
            yield f"{layer}.mlp.gate.weight", (c["n_routed_experts"], hidden)
            for expert in range(c["n_routed_experts"]):
                yield from mlp(f"{layer}.mlp.experts.{expert}", c["moe_intermediate_size"])
            yield from mlp(f"{layer}.mlp.shared_experts", c["moe_intermediate_size"] * c["n_shared_experts"])
        yield "model.norm.weight", (hidden,)
        yield "lm_head.weight", (c["vocab_size"], hidden)

    return {name: weight(name, *shape) for name, shape in shapes()}


def write_safetensors(path, arrays):
    header, at = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "BF16", "shape": list(array.shape), "data_offsets": [at, at + 2 * array.size]}
        at += 2 * array.size
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)  # tensors begin on a cache line
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write((array.view(np.uint32) >> 16).astype("<u2").tobytes())


def gguf_tensors(c, arrays):
    """(name, array) in llama.cpp's words: experts of a layer in one tensor, kv_b in its two halves."""
    heads, nope, value = c["num_attention_heads"], c["qk_nope_head_dim"], c["v_head_dim"]
    plain = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q",
             "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa", "self_attn.kv_a_layernorm": "attn_kv_a_norm",
             "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
             "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "mlp.gate": "ffn_gate_inp",
             "mlp.shared_experts.gate_proj": "ffn_gate_shexp", "mlp.shared_experts.up_proj": "ffn_up_shexp",
             "mlp.shared_experts.down_proj": "ffn_down_shexp"}
    for theirs, ours in (("token_embd", "model.embed_tokens"), ("output_norm", "model.norm"), ("output", "lm_head")):
        yield f"{theirs}.weight", arrays[f"{ours}.weight"]
    for i in range(c["num_hidden_layers"]):
        prefix = f"model.layers.{i}"
        for ours, theirs in plain.items():
            if f"{prefix}.{ours}.weight" in arrays:
                yield f"blk.{i}.{theirs}.weight", arrays[f"{prefix}.{ours}.weight"]
        both = arrays[f"{prefix}.self_attn.kv_b_proj.weight"].reshape(heads, nope + value, -1)
        yield f"blk.{i}.attn_k_b.weight", np.ascontiguousarray(both[:, :nope].transpose(0, 2, 1))
        yield f"blk.{i}.attn_v_b.weight", np.ascontiguousarray(both[:, nope:])
        if i < c["first_k_dense_replace"]:
            continue
        for part in ("gate", "up", "down"):
            yield f"blk.{i}.ffn_{part}_exps.weight", np.stack(
                [arrays[f"{prefix}.mlp.experts.{e}.{part}_proj.weight"] for e in range(c["n_routed_experts"])])


def write_gguf(path, c, arrays):
    out = gguf.GGUFWriter(path, "deepseek2")
    out.add_context_length(c["max_position_embeddings"])
    out.add_embedding_length(c["hidden_size"])
    out.add_block_count(c["num_hidden_layers"])
    out.add_feed_forward_length(c["intermediate_size"])
    out.add_head_count(c["num_attention_heads"])
    out.add_head_count_kv(1)
    out.add_q_lora_rank(0)
    out.add_kv_lora_rank(c["kv_lora_rank"])
    out.add_key_length(c["kv_lora_rank"] + c["qk_rope_head_dim"])
    out.add_value_length(c["kv_lora_rank"])
    out.add_key_length_mla(c["qk_nope_head_dim"] + c["qk_rope_head_dim"])
    out.add_value_length_mla(c["v_head_dim"])
    out.add_rope_dimension_count(c["qk_rope_head_dim"])
    out.add_rope_freq_base(c["rope_theta"])
    out.add_layer_norm_rms_eps(c["rms_norm_eps"])
    out.add_leading_dense_block_count(c["first_k_dense_replace"])
    out.add_expert_count(c["n_routed_experts"])
    out.add_expert_used_count(c["num_experts_per_tok"])
    out.add_expert_shared_count(c["n_shared_experts"])
    out.add_expert_feed_forward_length(c["moe_intermediate_size"])
    out.add_expert_weights_scale(c["routed_scaling_factor"])
    out.add_expert_weights_norm(c["norm_topk_prob"])
    out.add_vocab_size(c["vocab_size"])
    out.add_tokenizer_model("none")
    for name, array in gguf_tensors(c, arrays):
        if name.split(".")[-2] in NORMS_IN_F32:
            out.add_tensor(name, array)
            continue
        kind = gguf.GGMLQuantizationType.BF16
        out.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    (out / "hf").mkdir(parents=True, exist_ok=True)
    config = read_config()
    arrays = tensors(config)
    (out / "hf" / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    write_safetensors(out / "hf" / "model.safetensors", arrays)
    write_gguf(out / "tiny.gguf", config, arrays)


if __name__ == "__main__":
    main()
