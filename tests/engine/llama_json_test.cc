// config.json of the Llama-like families.
#include "engine/model/llama_json.h"

#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"

namespace baton {
namespace {

// Llama-3.1-8B.
constexpr char kLlama[] = R"({
  "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": false,
  "attention_dropout": 0.0, "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009],
  "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
  "intermediate_size": 14336, "max_position_embeddings": 131072, "mlp_bias": false,
  "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
  "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_theta": 500000.0,
  "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192, "rope_type": "llama3"},
  "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
  "vocab_size": 128256
})";

// Qwen2.5-0.5B-Instruct.
constexpr char kQwen2[] = R"({
  "model_type": "qwen2", "attention_dropout": 0.0, "bos_token_id": 151643,
  "eos_token_id": 151645, "hidden_act": "silu", "hidden_size": 896, "initializer_range": 0.02,
  "intermediate_size": 4864, "max_position_embeddings": 32768, "max_window_layers": 21,
  "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2,
  "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768,
  "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_sliding_window": false,
  "vocab_size": 151936
})";

// Qwen3-0.6B.
constexpr char kQwen3[] = R"({
  "model_type": "qwen3", "attention_bias": false, "bos_token_id": 151643, "eos_token_id": 151645,
  "head_dim": 128, "hidden_act": "silu", "hidden_size": 1024, "intermediate_size": 3072,
  "max_position_embeddings": 40960, "num_attention_heads": 16, "num_hidden_layers": 28,
  "num_key_value_heads": 8, "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 1000000,
  "sliding_window": null, "tie_word_embeddings": true, "use_sliding_window": false,
  "layer_types": ["full_attention", "full_attention"], "vocab_size": 151936
})";

using Parser = absl::StatusOr<ParsedLlama> (*)(const JsonObject&, const JsonValue*);

absl::StatusOr<ParsedLlama> Parse(Parser parser, const std::string& text) {
  const auto json = ParseJson(text);
  EXPECT_TRUE(json.ok()) << json.status();
  return parser(*json->AsObject(), nullptr);
}

std::string With(const std::string& text, const std::string& from, const std::string& to) {
  const std::string changed = absl::StrReplaceAll(text, {{from, to}});
  EXPECT_NE(changed, text) << from;
  return changed;
}

void ExpectRefused(Parser parser, const std::string& text, absl::StatusCode code,
                   const std::string& word) {
  const auto parsed = Parse(parser, text);
  ASSERT_EQ(parsed.status().code(), code) << word << ": " << parsed.status();
  EXPECT_NE(parsed.status().ToString().find(word), std::string::npos) << parsed.status();
}

TEST(LlamaJsonTest, WhatWouldChangeTokensSilentlyIsRefusedByName) {
  constexpr auto kNeeds = absl::StatusCode::kUnimplemented;
  const auto llama = [](const std::string& from, const std::string& to, const std::string& word) {
    ExpectRefused(ParseLlamaJson, With(kLlama, from, to), kNeeds, word);
  };
  llama("\"silu\"", "\"gelu\"", "gelu");
  llama("\"mlp_bias\": false", "\"mlp_bias\": true", "mlp_bias");
  llama("\"llama3\"", "\"linear\"", "linear");
  llama("\"llama3\"", "\"dynamic\"", "dynamic");
  llama("\"llama3\"", "\"longrope\"", "longrope");
  llama("\"mlp_bias\": false", "\"partial_rotary_factor\": 0.5", "partial_rotary_factor");
  llama("\"mlp_bias\": false", R"("quantization_config": {"quant_method": "gptq"})", "gptq");
  llama("\"rope_type\": \"llama3\"", R"("full_attention": {})", "full_attention");
  ExpectRefused(ParseQwen2Json,
                With(kQwen2, "\"use_sliding_window\": false", "\"use_sliding_window\": true"),
                kNeeds, "use_sliding_window");
  ExpectRefused(ParseQwen3Json, With(kQwen3, "[\"full_attention\"", "[\"sliding_attention\""),
                kNeeds, "layer_types");
}

TEST(LlamaJsonTest, MissingAndImpossibleFieldsAreNamed) {
  constexpr auto kBroken = absl::StatusCode::kInvalidArgument;
  const auto llama = [](const std::string& from, const std::string& to, const std::string& word) {
    ExpectRefused(ParseLlamaJson, With(kLlama, from, to), kBroken, word);
  };
  llama("\"num_key_value_heads\": 8", "\"num_key_value_heads\": 3", "num_key_value_heads");
  llama("\"num_attention_heads\": 32", "\"num_attention_heads\": 0", "num_attention_heads");
  llama("\"hidden_size\": 4096", "\"hidden_size\": 4090", "num_attention_heads");
  llama("\"hidden_size\": 4096,", "", "hidden_size");
  llama("\"intermediate_size\": 14336,", "", "intermediate_size");
  llama("\"low_freq_factor\": 1.0,", "", "low_freq_factor");
  llama("\"low_freq_factor\": 1.0", "\"low_freq_factor\": 4.0", "low_freq_factor");
  llama("\"factor\": 8.0", "\"factor\": 0.5", "factor");
  llama("\"mlp_bias\": false", "\"head_dim\": 65", "head_dim");
  llama("\"mlp_bias\": false", "\"layer_types\": 3", "layer_types");
  ExpectRefused(ParseQwen3Json, With(kQwen3, "\"head_dim\": 128,", ""), kBroken, "head_dim");
}

TEST(LlamaJsonTest, Llamas31FieldsAreRead) {
  const auto parsed = Parse(ParseLlamaJson, kLlama);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const LlamaConfig& config = parsed->config;
  EXPECT_TRUE(parsed->unknown_fields.empty());
  EXPECT_EQ(config.HeadDim(), 128);
  EXPECT_EQ(config.kv_heads, 8);
  EXPECT_EQ(config.inter, 14336);
  EXPECT_FALSE(config.qkv_bias || config.out_bias || config.qk_norm || config.tied);
  ASSERT_TRUE(config.llama3.has_value());
  EXPECT_EQ(config.llama3->original_positions, 8192);
  EXPECT_EQ(config.end_tokens, (std::vector<TokenId>{128001, 128008, 128009}));
}

TEST(LlamaJsonTest, Qwens25HasBiasesThatItsFileDoesNotName) {
  const auto parsed = Parse(ParseQwen2Json, kQwen2);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const LlamaConfig& config = parsed->config;
  EXPECT_TRUE(parsed->unknown_fields.empty());
  EXPECT_EQ(config.HeadDim(), 64);
  EXPECT_TRUE(config.qkv_bias && config.tied);
  EXPECT_FALSE(config.out_bias || config.qk_norm);
}

TEST(LlamaJsonTest, Qwen3sHeadsAreAsWideAsItsFileSays) {
  const auto parsed = Parse(ParseQwen3Json, kQwen3);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const LlamaConfig& config = parsed->config;
  EXPECT_TRUE(parsed->unknown_fields.empty());
  EXPECT_EQ(config.HeadDim(), 128);
  EXPECT_TRUE(config.qk_norm && config.tied);
  EXPECT_FALSE(config.qkv_bias || config.out_bias);
}

TEST(LlamaJsonTest, AttentionBiasIsOfAllFourProjections) {
  const auto parsed = Parse(ParseLlamaJson, With(kLlama, "_bias\": false", "_bias\": true"));
  EXPECT_FALSE(parsed.ok());  // mlp_bias
  const auto biased =
      Parse(ParseLlamaJson, With(kLlama, "\"attention_bias\": false", "\"attention_bias\": true"));
  ASSERT_TRUE(biased.ok()) << biased.status();
  EXPECT_TRUE(biased->config.qkv_bias && biased->config.out_bias);
}

TEST(LlamaJsonTest, AStatedHeadDimNeedNotDivideTheHiddenSize) {
  const std::string text =
      absl::StrReplaceAll(kLlama, {{"\"hidden_size\": 4096", "\"hidden_size\": 4100"},
                                   {"\"mlp_bias\": false", "\"head_dim\": 128"}});
  const auto parsed = Parse(ParseLlamaJson, text);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->config.HeadDim(), 128);
}

TEST(LlamaJsonTest, YarnRaisesTheLength) {
  const auto parsed = Parse(ParseQwen2Json, With(kQwen2, "\"rope_theta\"",
                                                 R"("rope_scaling": {"type": "yarn", "factor": 4.0,
                              "original_max_position_embeddings": 32768}, "rope_theta")"));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->config.positions_max, 131072);
  ASSERT_TRUE(parsed->config.yarn.has_value());
}

}  // namespace
}  // namespace baton
