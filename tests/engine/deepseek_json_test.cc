#include "engine/model/deepseek_json.h"

#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"

namespace baton {
namespace {

constexpr char kV2Lite[] = R"({
  "model_type": "deepseek_v2", "hidden_size": 2048, "num_attention_heads": 16,
  "num_key_value_heads": 16, "num_hidden_layers": 27, "vocab_size": 102400, "hidden_act": "silu",
  "rms_norm_eps": 1e-06, "attention_bias": false, "tie_word_embeddings": false,
  "rope_theta": 10000, "moe_layer_freq": 1, "kv_lora_rank": 512, "qk_rope_head_dim": 64,
  "qk_nope_head_dim": 128, "v_head_dim": 128, "q_lora_rank": null, "first_k_dense_replace": 1,
  "intermediate_size": 10944, "moe_intermediate_size": 1408, "n_routed_experts": 64,
  "n_shared_experts": 2, "num_experts_per_tok": 6, "topk_method": "greedy",
  "scoring_func": "softmax", "n_group": 1, "topk_group": 1, "norm_topk_prob": false,
  "routed_scaling_factor": 1.0, "max_position_embeddings": 163840,
  "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096,
    "beta_fast": 32, "beta_slow": 1, "mscale": 0.707, "mscale_all_dim": 0.707},
  "torch_dtype": "bfloat16", "bos_token_id": 100000, "eos_token_id": 100001
})";

absl::StatusOr<ParsedDeepseek> Parse(const std::string& text, const char* generation = nullptr,
                                     DeepseekVersion version = DeepseekVersion::kV2) {
  const auto json = ParseJson(text);
  EXPECT_TRUE(json.ok()) << json.status();
  if (generation == nullptr) return ParseDeepseekJson(*json->AsObject(), nullptr, version);
  const auto other = ParseJson(generation);
  EXPECT_TRUE(other.ok()) << other.status();
  return ParseDeepseekJson(*json->AsObject(), &*other, version);
}

// What V3's file says otherwise than V2-Lite's.
std::string V3(const std::string& more = "") {
  return absl::StrReplaceAll(
      kV2Lite, {{"\"greedy\"", "\"noaux_tc\""},
                {"\"softmax\"", "\"sigmoid\""},
                {"\"n_group\": 1", "\"n_group\": 8"},
                {"\"topk_group\": 1", "\"topk_group\": 4"},
                {"\"norm_topk_prob\": false", "\"norm_topk_prob\": true"},
                {"factor\": 1.0", "factor\": 2.5, \"num_nextn_predict_layers\": 1" + more}});
}

absl::StatusOr<ParsedDeepseek> ParseV3(const std::string& text) {
  return Parse(text, nullptr, DeepseekVersion::kV3);
}

void ExpectV3Refused(const std::string& text, absl::StatusCode code, const std::string& word) {
  const auto parsed = ParseV3(text);
  ASSERT_EQ(parsed.status().code(), code) << word << ": " << parsed.status();
  EXPECT_NE(parsed.status().ToString().find(word), std::string::npos) << parsed.status();
}

// V2-Lite's file with `from` replaced by `to`.
std::string With(const std::string& from, const std::string& to) {
  const std::string text = absl::StrReplaceAll(kV2Lite, {{from, to}});
  EXPECT_NE(text, kV2Lite) << from;
  return text;
}

void ExpectRefused(const std::string& text, absl::StatusCode code, const std::string& word) {
  const auto parsed = Parse(text);
  ASSERT_EQ(parsed.status().code(), code) << word << ": " << parsed.status();
  EXPECT_NE(parsed.status().ToString().find(word), std::string::npos) << parsed.status();
}

TEST(DeepseekJsonTest, WhatWouldChangeTokensSilentlyIsRefusedByName) {
  constexpr auto kNeeds = absl::StatusCode::kUnimplemented;
  ExpectRefused(With("\"silu\"", "\"gelu\""), kNeeds, "gelu");
  ExpectRefused(With("\"attention_bias\": false", "\"attention_bias\": true"), kNeeds,
                "attention_bias");
  ExpectRefused(With("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true"), kNeeds,
                "tie_word_embeddings");
  ExpectRefused(With("\"softmax\"", "\"sigmoid\""), kNeeds, "scoring_func");
  ExpectRefused(With("\"greedy\"", "\"noaux_tc\""), kNeeds, "topk_method");
  ExpectRefused(With("\"yarn\"", "\"longrope\""), kNeeds, "longrope");
  ExpectRefused(With("\"n_group\"", "\"quantization_config\": {}, \"n_group\""), kNeeds,
                "quantization_config");
  ExpectRefused(absl::StrReplaceAll(With("\"norm_topk_prob\": false", "\"norm_topk_prob\": true"),
                                    {{"factor\": 1.0", "factor\": 2.5"}}),
                kNeeds, "norm_topk_prob");
}

TEST(DeepseekJsonTest, MissingAndImpossibleFieldsAreNamed) {
  constexpr auto kBroken = absl::StatusCode::kInvalidArgument;
  ExpectRefused(With("\"hidden_size\": 2048,", ""), kBroken, "hidden_size");
  ExpectRefused(With("2048", "\"2048\""), kBroken, "hidden_size");
  ExpectRefused(With("2048", "16.5"), kBroken, "hidden_size");
  ExpectRefused(With("\"num_hidden_layers\": 27", "\"num_hidden_layers\": -1"), kBroken,
                "num_hidden_layers");
  ExpectRefused(With("\"num_hidden_layers\": 27", "\"num_hidden_layers\": 1000000000000"), kBroken,
                "num_hidden_layers");
  ExpectRefused(With("\"num_attention_heads\": 16", "\"num_attention_heads\": 0"), kBroken,
                "num_attention_heads");
  ExpectRefused(With("\"qk_rope_head_dim\": 64", "\"qk_rope_head_dim\": 63"), kBroken,
                "qk_rope_head_dim");
  ExpectRefused(With("\"factor\": 40", "\"factor\": 0"), kBroken, "factor");
  ExpectRefused(With("\"factor\": 40, ", ""), kBroken, "factor");
  ExpectRefused(With("\"num_experts_per_tok\": 6", "\"num_experts_per_tok\": 65"), kBroken,
                "num_experts_per_tok");
  ExpectRefused(With("100001", "102400"), kBroken, "eos_token_id");
  ExpectRefused(With("\"rope_theta\"", "\"rope_parameters\": {}, \"rope_theta\""), kBroken, "rope");
  const std::string grouped = With("\"greedy\"", "\"group_limited_greedy\"");
  ExpectRefused(absl::StrReplaceAll(grouped, {{"\"n_group\": 1", "\"n_group\": 3"}}), kBroken,
                "n_group");
  ExpectRefused(absl::StrReplaceAll(grouped, {{"\"topk_group\": 1", "\"topk_group\": 2"}}), kBroken,
                "topk_group");
  ExpectRefused(absl::StrReplaceAll(grouped, {{"\"n_group\": 1", "\"n_group\": 16"}}), kBroken,
                "num_experts_per_tok");
}

TEST(DeepseekJsonTest, V2LitesFieldsAreRead) {
  const auto parsed = Parse(kV2Lite);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const DeepseekConfig& config = parsed->config;
  EXPECT_TRUE(parsed->unknown_fields.empty());
  EXPECT_EQ(config.hidden, 2048);
  EXPECT_EQ(config.q_lora_dim, 0);
  EXPECT_EQ(config.CacheDim(), 576);
  EXPECT_EQ(config.shared_inter, 2816);
  EXPECT_EQ(config.gate, GateMethod::kGreedy);
  EXPECT_FALSE(config.IsMoe(0));
  EXPECT_TRUE(config.IsMoe(1));
  ASSERT_TRUE(config.yarn.has_value());
  EXPECT_DOUBLE_EQ(config.yarn->mscale_all_dim, 0.707);
  EXPECT_EQ(config.bos, 100000);
  EXPECT_EQ(config.end_tokens, std::vector<TokenId>{100001});
}

TEST(DeepseekJsonTest, V3sGateIsReadAndNothingOfItIsGuessed) {
  const auto parsed = ParseV3(V3());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->config.gate, GateMethod::kNoAuxTc);
  EXPECT_EQ(parsed->config.groups, 8);
  EXPECT_EQ(parsed->config.top_k_groups, 4);
  EXPECT_TRUE(parsed->config.normalize_weights);
  EXPECT_EQ(parsed->config.routed_scaling, 2.5F);
  EXPECT_EQ(parsed->config.prediction_layers, 1);
  constexpr auto kNeeds = absl::StatusCode::kUnimplemented;
  constexpr auto kBroken = absl::StatusCode::kInvalidArgument;
  ExpectV3Refused(absl::StrReplaceAll(V3(), {{"noaux_tc", "hash"}}), kNeeds, "topk_method");
  ExpectV3Refused(absl::StrReplaceAll(V3(), {{"sigmoid", "softmax"}}), kNeeds, "scoring_func");
  for (const char* field : {"n_group", "topk_group", "norm_topk_prob", "routed_scaling_factor"}) {
    ExpectV3Refused(absl::StrReplaceAll(V3(), {{std::string("\"") + field + "\"", "\"other\""}}),
                    kBroken, field);
  }
  ExpectV3Refused(
      absl::StrReplaceAll(V3(), {{"\"n_routed_experts\": 64", "\"n_routed_experts\": 65536"},
                                 {"layers\": 27", "layers\": 4000"}}),
      kBroken, "n_routed_experts");
}

TEST(DeepseekJsonTest, OneWayOfQuantisingIsReadAndOthersAreRefusedByName) {
  const auto quantised = [](const std::string& fields) {
    return V3(", \"quantization_config\": {" + fields + "}");
  };
  const std::string fp8 = R"("quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic")";
  const auto parsed = ParseV3(quantised(fp8 + R"(, "weight_block_size": [128, 128])"));
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  constexpr auto kNeeds = absl::StatusCode::kUnimplemented;
  ExpectV3Refused(quantised(fp8 + R"(, "weight_block_size": [64, 64])"), kNeeds,
                  "weight_block_size");
  ExpectV3Refused(quantised(fp8), kNeeds, "weight_block_size");
  ExpectV3Refused(quantised(R"("quant_method": "fp8", "fmt": "e5m2")"), kNeeds, "e5m2");
  ExpectV3Refused(quantised(R"("quant_method": "fp8", "activation_scheme": "static")"), kNeeds,
                  "static");
  for (const std::string method : {"gptq", "awq", "compressed-tensors"}) {
    ExpectV3Refused(quantised("\"quant_method\": \"" + method + "\""), kNeeds, method);
  }
}

TEST(DeepseekJsonTest, NewerSpellingsMeanTheSame) {
  const std::string nested =
      absl::StrReplaceAll(kV2Lite, {{"\"rope_theta\": 10000,", ""},
                                    {"\"rope_scaling\": {\"type\"",
                                     "\"rope_parameters\": {\"rope_theta\": 50000, \"rope_type\""},
                                    {"torch_dtype", "dtype"}});
  const auto parsed = Parse(nested);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_DOUBLE_EQ(parsed->config.rope_theta, 50000);
  EXPECT_TRUE(parsed->config.yarn.has_value());
  EXPECT_EQ(parsed->config.stored_dtype, "bfloat16");
}

TEST(DeepseekJsonTest, EndTokensOfBothFilesAreJoined) {
  const auto parsed = Parse(kV2Lite, R"({"eos_token_id": [7, 100001, 3]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->config.end_tokens, (std::vector<TokenId>{3, 7, 100001}));
}

TEST(DeepseekJsonTest, FieldsThatNobodyKnowsAreHandedBack) {
  const auto parsed =
      Parse(absl::StrReplaceAll(kV2Lite, {{"\"n_group\"", "\"surprise\": 1, \"n_group\""},
                                          {"\"mscale\"", "\"wobble\": 2, \"mscale\""}}));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->unknown_fields, (std::vector<std::string>{"rope_scaling.wobble", "surprise"}));
}

}  // namespace
}  // namespace baton
