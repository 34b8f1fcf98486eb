// The model that CPU figures are told of: DeepSeek-V2's architecture in 382 MB of bf16, small
// enough for two cores and too large for their caches. 101.4 million parameters are active a token.
// tools/make_tiny_deepseek.py writes the same one with weights, for others to run.
#pragma once

namespace baton::bench {

inline constexpr const char* kTinyDeepseek = R"({
  "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2",
  "torch_dtype": "bfloat16", "vocab_size": 32000, "hidden_size": 1024, "num_hidden_layers": 4,
  "num_attention_heads": 16, "num_key_value_heads": 16, "q_lora_rank": null, "kv_lora_rank": 512,
  "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "intermediate_size": 2816,
  "moe_intermediate_size": 512, "n_routed_experts": 16, "n_shared_experts": 2,
  "num_experts_per_tok": 4, "first_k_dense_replace": 1, "moe_layer_freq": 1,
  "scoring_func": "softmax", "topk_method": "greedy", "n_group": 1, "topk_group": 1,
  "norm_topk_prob": false, "routed_scaling_factor": 1.0, "hidden_act": "silu",
  "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "rope_scaling": null,
  "max_position_embeddings": 32768, "attention_bias": false, "tie_word_embeddings": false,
  "bos_token_id": 31997, "eos_token_id": 31998, "pad_token_id": 31999})";

}  // namespace baton::bench
