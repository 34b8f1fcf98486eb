#include "engine/model/config_json.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "engine/model/json_fields.h"

namespace baton {
namespace {

// Far above every released model, low enough that products of two stay within int64.
constexpr int kDimMax = 1 << 20;
constexpr int kLayersMax = 4096;
constexpr int kPositionsMax = 1 << 24;
constexpr int kExpertsMax = 1 << 16;
constexpr double kRealMax = 1e9;

// Training only, spellings of what the class already says, or what transformers notes about
// itself: none changes a token.
constexpr const char* kHarmless[] = {"architectures",
                                     "attention_dropout",
                                     "auto_map",
                                     "aux_loss_alpha",
                                     "bos_token_id",
                                     "ep_size",
                                     "head_dim",
                                     "initializer_range",
                                     "num_key_value_heads",
                                     "pad_token_id",
                                     "pretraining_tp",
                                     "seq_aux",
                                     "transformers_version",
                                     "use_cache",
                                     "output_router_logits",
                                     "router_aux_loss_coef",
                                     "_name_or_path"};

absl::Status Unsupported(absl::string_view what) {
  return absl::UnimplementedError(
      absl::StrFormat("config.json: %s, which this version does not run", what));
}

absl::Status CheckArchitecture(JsonFields& fields) {
  if (fields.Find("index_topk") != nullptr) {
    return Unsupported("model needs DeepSeek sparse attention (index_topk)");
  }
  const std::string type = fields.StringOr("model_type", "");
  if (type == "deepseek_v2") return absl::OkStatus();
  std::string classes;
  const JsonValue* architectures = fields.Find("architectures");
  if (architectures != nullptr && architectures->AsArray() != nullptr) {
    for (const JsonValue& name : *architectures->AsArray()) {
      if (name.AsString() != nullptr) classes += " " + *name.AsString();
    }
  }
  return Unsupported(absl::StrFormat("model_type is %s (architectures:%s); needed is deepseek_v2",
                                     type.empty() ? "missing" : type, classes));
}

// Whatever is refused here would change tokens silently if it were ignored.
void RefuseWhatIsNotHonoured(JsonFields& fields) {
  if (fields.Find("quantization_config") != nullptr) {
    fields.Fail(Unsupported("weights are quantised (quantization_config)"));
  }
  if (const std::string act = fields.StringOr("hidden_act", "silu"); act != "silu") {
    fields.Fail(Unsupported(absl::StrFormat("hidden_act is %s; needed is silu", act)));
  }
  if (fields.BoolOr("attention_bias", false)) fields.Fail(Unsupported("attention_bias is true"));
  if (fields.BoolOr("mlp_bias", false)) fields.Fail(Unsupported("mlp_bias is true"));
  if (fields.BoolOr("tie_word_embeddings", false)) {
    fields.Fail(Unsupported("tie_word_embeddings is true"));
  }
  if (!fields.BoolOr("rope_interleave", true)) fields.Fail(Unsupported("rope_interleave is false"));
  if (const std::string score = fields.StringOr("scoring_func", "softmax"); score != "softmax") {
    fields.Fail(Unsupported(absl::StrFormat("scoring_func is %s; needed is softmax", score)));
  }
}

void ReadAttention(JsonFields& fields, DeepseekConfig& config) {
  config.num_heads = fields.RequireInt("num_attention_heads", 1, kDimMax);
  config.q_lora_dim = fields.IntOr("q_lora_rank", 0, 1, kDimMax);
  config.latent_dim = fields.RequireInt("kv_lora_rank", 1, kDimMax);
  config.nope_dim = fields.RequireInt("qk_nope_head_dim", 1, kDimMax);
  config.rope_dim = fields.RequireInt("qk_rope_head_dim", 2, kDimMax);
  config.v_dim = fields.RequireInt("v_head_dim", 1, kDimMax);
  config.positions_max = fields.RequireInt("max_position_embeddings", 1, kPositionsMax);
  config.rms_epsilon = static_cast<float>(fields.NumberOr("rms_norm_eps", 1e-6, 0, 1));
  if (config.rope_dim % 2 != 0) {
    fields.Fail(absl::InvalidArgumentError("config.json: qk_rope_head_dim must be even"));
  }
}

void ReadGate(JsonFields& fields, DeepseekConfig& config) {
  const std::string method = fields.StringOr("topk_method", "greedy");
  const int groups = fields.IntOr("n_group", 1, 1, kExpertsMax);
  const int top_k_groups = fields.IntOr("topk_group", 1, 1, kExpertsMax);
  config.normalize_weights = fields.BoolOr("norm_topk_prob", false);
  const double scaling = fields.NumberOr("routed_scaling_factor", 1.0, 0, kRealMax);
  config.routed_scaling = static_cast<float>(scaling);
  if (config.normalize_weights && scaling != 1.0) {
    // Copies of the V2 code disagree on whether the factor still applies.
    fields.Fail(Unsupported("norm_topk_prob is true and routed_scaling_factor is not 1"));
  }
  if (method == "greedy") return;
  if (method != "group_limited_greedy") {
    fields.Fail(Unsupported(
        absl::StrFormat("topk_method is %s; needed is greedy or group_limited_greedy", method)));
    return;
  }
  if (config.experts % groups != 0 || top_k_groups > groups ||
      config.top_k > top_k_groups * (config.experts / groups)) {
    fields.Fail(absl::InvalidArgumentError(
        "config.json: n_group must divide n_routed_experts, and topk_group groups must hold "
        "num_experts_per_tok experts"));
    return;
  }
  config.gate = GateMethod::kGroupLimitedGreedy;
  config.groups = groups;
  config.top_k_groups = top_k_groups;
}

void ReadFeedForward(JsonFields& fields, DeepseekConfig& config) {
  config.dense_inter = fields.RequireInt("intermediate_size", 1, kDimMax);
  config.experts = fields.IntOr("n_routed_experts", 0, 1, kExpertsMax);
  config.first_moe_layer = fields.IntOr("first_k_dense_replace", 0, 0, kLayersMax);
  config.moe_layer_stride = fields.IntOr("moe_layer_freq", 1, 1, kLayersMax);
  const int shared = fields.IntOr("n_shared_experts", 0, 0, 1024);
  if (config.experts == 0) {
    for (const char* name : {"moe_intermediate_size", "num_experts_per_tok", "topk_method",
                             "n_group", "topk_group", "norm_topk_prob", "routed_scaling_factor"}) {
      fields.Ignore(name);
    }
    return;
  }
  config.expert_inter = fields.RequireInt("moe_intermediate_size", 1, kDimMax);
  config.shared_inter = shared * config.expert_inter;
  config.top_k = fields.RequireInt("num_experts_per_tok", 1, config.experts);
  ReadGate(fields, config);
}

absl::StatusOr<YarnScaling> ReadYarn(JsonFields& fields) {
  YarnScaling yarn;
  yarn.factor = fields.NumberOr("factor", 0, 1, kRealMax);
  yarn.original_positions = fields.RequireInt("original_max_position_embeddings", 1, kPositionsMax);
  yarn.beta_fast = fields.NumberOr("beta_fast", 32, 1e-3, kRealMax);
  yarn.beta_slow = fields.NumberOr("beta_slow", 1, 1e-3, kRealMax);
  yarn.mscale = fields.NumberOr("mscale", 1, 0, 100);
  yarn.mscale_all_dim = fields.NumberOr("mscale_all_dim", 0, 0, 100);
  BATON_RETURN_IF_ERROR(fields.status());
  if (yarn.factor == 0) return absl::InvalidArgumentError("rope_scaling.factor is missing");
  return yarn;
}

// rope_scaling + rope_theta, or transformers 5's rope_parameters that holds both; `type` or
// `rope_type` within.
absl::Status ReadRope(JsonFields& fields, DeepseekConfig& config,
                      std::vector<std::string>& unknown) {
  config.rope_theta = fields.NumberOr("rope_theta", 10000, 2, 1e12);
  const JsonValue* scaling = fields.Find("rope_scaling");
  const JsonValue* parameters = fields.Find("rope_parameters");
  if (scaling != nullptr && parameters != nullptr) {
    return absl::InvalidArgumentError(
        "config.json: rope_scaling and rope_parameters are both given; keep one");
  }
  const JsonValue* chosen = scaling != nullptr ? scaling : parameters;
  if (chosen == nullptr) return fields.status();
  if (chosen->AsObject() == nullptr) {
    return absl::InvalidArgumentError("config.json: rope_scaling must be an object");
  }
  const std::string where = scaling != nullptr ? "rope_scaling." : "rope_parameters.";
  JsonFields inner(*chosen->AsObject(), where);
  config.rope_theta = inner.NumberOr("rope_theta", config.rope_theta, 2, 1e12);
  const std::string spelled = inner.StringOr("type", "default");
  const std::string type = inner.StringOr("rope_type", spelled);
  BATON_RETURN_IF_ERROR(inner.status());
  if (type == "yarn") {
    BATON_ASSIGN_OR_RETURN(config.yarn, ReadYarn(inner));
  } else if (type != "default") {
    return Unsupported(absl::StrFormat("%stype is %s; needed is yarn", where, type));
  }
  for (const std::string& name : inner.Unread()) unknown.push_back(where + name);
  return fields.status();
}

absl::Status AddEndTokens(const JsonValue* value, int vocab_size, std::vector<TokenId>& ends) {
  if (value == nullptr) return absl::OkStatus();
  const JsonArray one = {*value};
  for (const JsonValue& item : value->AsArray() != nullptr ? *value->AsArray() : one) {
    std::int64_t id = 0;
    if (!item.AsInt(&id) || id < 0 || id >= vocab_size) {
      return absl::InvalidArgumentError(
          "config.json: eos_token_id must be ids within the vocabulary");
    }
    ends.push_back(static_cast<TokenId>(id));
  }
  return absl::OkStatus();
}

absl::Status ReadTokens(JsonFields& fields, const JsonValue* generation, DeepseekConfig& config) {
  config.bos = fields.IntOr("bos_token_id", -1, 0, config.vocab_size - 1);
  BATON_RETURN_IF_ERROR(
      AddEndTokens(fields.Find("eos_token_id"), config.vocab_size, config.end_tokens));
  if (generation != nullptr && generation->AsObject() != nullptr) {
    JsonFields inner(*generation->AsObject(), "generation_config.json: ");
    BATON_RETURN_IF_ERROR(
        AddEndTokens(inner.Find("eos_token_id"), config.vocab_size, config.end_tokens));
  }
  std::sort(config.end_tokens.begin(), config.end_tokens.end());
  config.end_tokens.erase(std::unique(config.end_tokens.begin(), config.end_tokens.end()),
                          config.end_tokens.end());
  return fields.status();
}

}  // namespace

absl::StatusOr<ParsedConfig> ParseConfigJson(const JsonValue& value, const JsonValue* generation) {
  if (value.AsObject() == nullptr) {
    return absl::InvalidArgumentError("config.json must hold an object");
  }
  JsonFields fields(*value.AsObject(), "config.json: ");
  BATON_RETURN_IF_ERROR(CheckArchitecture(fields));
  ParsedConfig parsed;
  DeepseekConfig& config = parsed.config;
  RefuseWhatIsNotHonoured(fields);
  config.vocab_size = fields.RequireInt("vocab_size", 1, 1 << 24);
  config.hidden = fields.RequireInt("hidden_size", 1, kDimMax);
  config.num_layers = fields.RequireInt("num_hidden_layers", 1, kLayersMax);
  const std::string dtype = fields.StringOr("dtype", "bfloat16");
  config.stored_dtype = fields.StringOr("torch_dtype", dtype);
  ReadAttention(fields, config);
  ReadFeedForward(fields, config);
  BATON_RETURN_IF_ERROR(fields.status());
  BATON_RETURN_IF_ERROR(ReadRope(fields, config, parsed.unknown_fields));
  BATON_RETURN_IF_ERROR(ReadTokens(fields, generation, config));
  for (const char* name : kHarmless) fields.Ignore(name);
  for (std::string& name : fields.Unread()) parsed.unknown_fields.push_back(std::move(name));
  return parsed;
}

}  // namespace baton
