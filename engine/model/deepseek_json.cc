#include "engine/model/deepseek_json.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "engine/model/json_fields.h"
#include "engine/model/quantization.h"
#include "engine/model/shape_json.h"

namespace baton {
namespace {

constexpr int kExpertsMax = 1 << 16;
// Twenty times those of V3, the largest released model.
constexpr int kExpertsOfAllLayersMax = 320'000;
// Of multi-token prediction; released models have one.
constexpr int kPredictionLayersMax = 64;

// Whatever is refused here would change tokens silently if it were ignored.
void RefuseWhatIsNotHonoured(JsonFields& fields) {
  if (const std::string act = fields.StringOr("hidden_act", "silu"); act != "silu") {
    fields.Fail(Unsupported(absl::StrFormat("hidden_act is %s; needed is silu", act)));
  }
  if (fields.BoolOr("attention_bias", false)) fields.Fail(Unsupported("attention_bias is true"));
  if (fields.BoolOr("mlp_bias", false)) fields.Fail(Unsupported("mlp_bias is true"));
  if (fields.BoolOr("tie_word_embeddings", false)) {
    fields.Fail(Unsupported("tie_word_embeddings is true"));
  }
  if (!fields.BoolOr("rope_interleave", true)) fields.Fail(Unsupported("rope_interleave is false"));
}

void ReadAttention(JsonFields& fields, DeepseekConfig& config) {
  config.q_lora_dim = fields.IntOr("q_lora_rank", 0, 1, kDimMax);
  config.latent_dim = fields.RequireInt("kv_lora_rank", 1, kDimMax);
  config.nope_dim = fields.RequireInt("qk_nope_head_dim", 1, kDimMax);
  config.rope_dim = fields.RequireInt("qk_rope_head_dim", 2, kDimMax);
  config.v_dim = fields.RequireInt("v_head_dim", 1, kDimMax);
  if (config.rope_dim % 2 != 0) {
    fields.Fail(absl::InvalidArgumentError("config.json: qk_rope_head_dim must be even"));
  }
}

// The gate's groups, for the methods that have them.
void ReadGroups(JsonFields& fields, GateMethod method, int groups, int top_k_groups,
                DeepseekConfig& config) {
  if (config.experts % groups != 0 || top_k_groups > groups ||
      config.top_k > top_k_groups * (config.experts / groups)) {
    fields.Fail(absl::InvalidArgumentError(
        "config.json: n_group must divide n_routed_experts, and topk_group groups must hold "
        "num_experts_per_tok experts"));
    return;
  }
  config.gate = method;
  config.groups = groups;
  config.top_k_groups = top_k_groups;
}

void ReadSoftmaxGate(JsonFields& fields, DeepseekConfig& config) {
  const std::string method = fields.StringOr("topk_method", "greedy");
  const int groups = fields.IntOr("n_group", 1, 1, kExpertsMax);
  const int top_k_groups = fields.IntOr("topk_group", 1, 1, kExpertsMax);
  if (const std::string score = fields.StringOr("scoring_func", "softmax"); score != "softmax") {
    fields.Fail(Unsupported(absl::StrFormat("scoring_func is %s; needed is softmax", score)));
  }
  if (config.normalize_weights && config.routed_scaling != 1.0F) {
    // Copies of the V2 code disagree on whether the factor still applies.
    fields.Fail(Unsupported("norm_topk_prob is true and routed_scaling_factor is not 1"));
  }
  if (method == "greedy") return;
  if (method != "group_limited_greedy") {
    fields.Fail(Unsupported(
        absl::StrFormat("topk_method is %s; needed is greedy or group_limited_greedy", method)));
    return;
  }
  ReadGroups(fields, GateMethod::kGroupLimitedGreedy, groups, top_k_groups, config);
}

// V3 has one gate, so the names of its parts may be absent; its numbers may not.
void ReadSigmoidGate(JsonFields& fields, DeepseekConfig& config) {
  if (const std::string method = fields.StringOr("topk_method", "noaux_tc"); method != "noaux_tc") {
    fields.Fail(Unsupported(absl::StrFormat("topk_method is %s; needed is noaux_tc", method)));
  }
  if (const std::string score = fields.StringOr("scoring_func", "sigmoid"); score != "sigmoid") {
    fields.Fail(Unsupported(absl::StrFormat("scoring_func is %s; needed is sigmoid", score)));
  }
  for (const char* name : {"norm_topk_prob", "routed_scaling_factor"}) {
    if (fields.Find(name) == nullptr) {
      fields.Fail(absl::InvalidArgumentError(absl::StrFormat("config.json: %s is missing", name)));
    }
  }
  const int groups = fields.RequireInt("n_group", 1, kExpertsMax);
  const int top_k_groups = fields.RequireInt("topk_group", 1, kExpertsMax);
  ReadGroups(fields, GateMethod::kNoAuxTc, groups, top_k_groups, config);
}

void ReadFeedForward(JsonFields& fields, DeepseekVersion version, DeepseekConfig& config) {
  config.dense_inter = fields.RequireInt("intermediate_size", 1, kDimMax);
  config.experts = fields.IntOr("n_routed_experts", 0, 1, kExpertsMax);
  config.first_moe_layer = fields.IntOr("first_k_dense_replace", 0, 0, kLayersMax);
  config.moe_layer_stride = fields.IntOr("moe_layer_freq", 1, 1, kLayersMax);
  const int shared = fields.IntOr("n_shared_experts", 0, 0, 1024);
  if (config.experts == 0) {
    for (const char* name :
         {"moe_intermediate_size", "num_experts_per_tok", "topk_method", "scoring_func", "n_group",
          "topk_group", "norm_topk_prob", "routed_scaling_factor"}) {
      fields.Ignore(name);
    }
    return;
  }
  config.expert_inter = fields.RequireInt("moe_intermediate_size", 1, kDimMax);
  config.shared_inter = shared * config.expert_inter;
  config.top_k = fields.RequireInt("num_experts_per_tok", 1, config.experts);
  config.normalize_weights = fields.BoolOr("norm_topk_prob", false);
  config.routed_scaling =
      static_cast<float>(fields.NumberOr("routed_scaling_factor", 1.0, 0, kRealMax));
  if (std::int64_t{config.experts} * config.num_layers > kExpertsOfAllLayersMax) {
    fields.Fail(absl::InvalidArgumentError(
        absl::StrFormat("config.json: n_routed_experts in num_hidden_layers layers are over %d",
                        kExpertsOfAllLayersMax)));
  }
  if (version == DeepseekVersion::kV3) {
    ReadSigmoidGate(fields, config);
  } else {
    ReadSoftmaxGate(fields, config);
  }
}

}  // namespace

absl::StatusOr<ParsedDeepseek> ParseDeepseekJson(const JsonObject& object,
                                                 const JsonValue* generation,
                                                 DeepseekVersion version) {
  JsonFields fields(object, "config.json: ");
  fields.Ignore("model_type");
  ParsedDeepseek parsed;
  DeepseekConfig& config = parsed.config;
  CheckQuantization(fields, parsed.unknown_fields);
  RefuseWhatIsNotHonoured(fields);
  ReadSizes(fields, config);
  ReadAttention(fields, config);
  ReadFeedForward(fields, version, config);
  config.prediction_layers = fields.IntOr("num_nextn_predict_layers", 0, 0, kPredictionLayersMax);
  BATON_RETURN_IF_ERROR(fields.status());
  BATON_RETURN_IF_ERROR(ReadRope(fields, config, parsed.unknown_fields));
  if (config.llama3.has_value()) return Unsupported("rope_scaling of type llama3 with MLA");
  BATON_RETURN_IF_ERROR(ReadTokens(fields, generation, config));
  IgnoreHarmless(fields);
  for (const char* name : {"head_dim", "num_key_value_heads"}) fields.Ignore(name);
  for (std::string& name : fields.Unread()) parsed.unknown_fields.push_back(std::move(name));
  return parsed;
}

}  // namespace baton
