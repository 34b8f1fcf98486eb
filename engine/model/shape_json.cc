#include "engine/model/shape_json.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace baton {
namespace {

constexpr int kVocabMax = 1 << 24;

// Training only, spellings of what the class already says, or what transformers notes about
// itself: none changes a token.
constexpr const char* kHarmless[] = {"architectures",
                                     "attention_dropout",
                                     "auto_map",
                                     "aux_loss_alpha",
                                     "bos_token_id",
                                     "ep_size",
                                     "initializer_range",
                                     "pad_token_id",
                                     "pretraining_tp",
                                     "seq_aux",
                                     "transformers_version",
                                     "use_cache",
                                     "output_router_logits",
                                     "router_aux_loss_coef",
                                     "_name_or_path"};

absl::StatusOr<YarnScaling> ReadYarn(JsonFields& fields) {
  YarnScaling yarn;
  yarn.factor = fields.NumberOr("factor", 0, 1, kRealMax);
  yarn.original_positions = fields.RequireInt("original_max_position_embeddings", 1, kPositionsMax);
  yarn.beta_fast = fields.NumberOr("beta_fast", 32, 1e-3, kRealMax);
  yarn.beta_slow = fields.NumberOr("beta_slow", 1, 1e-3, kRealMax);
  yarn.mscale = fields.NumberOr("mscale", 1, 0, 100);
  yarn.mscale_all_dim = fields.NumberOr("mscale_all_dim", 0, 0, 100);
  if (fields.Find("attention_factor") != nullptr) {
    yarn.attention_factor = fields.NumberOr("attention_factor", 1, 1e-3, 100);
  }
  if (!fields.BoolOr("truncate", true)) fields.Fail(Unsupported("YaRN with truncate false"));
  BATON_RETURN_IF_ERROR(fields.status());
  if (yarn.factor == 0) return absl::InvalidArgumentError("rope_scaling.factor is missing");
  return yarn;
}

absl::StatusOr<Llama3Scaling> ReadLlama3(JsonFields& fields) {
  Llama3Scaling llama3;
  for (const char* name : {"factor", "low_freq_factor", "high_freq_factor"}) {
    if (fields.Find(name) != nullptr) continue;
    return absl::InvalidArgumentError(absl::StrFormat("rope_scaling.%s is missing", name));
  }
  llama3.factor = fields.NumberOr("factor", 0, 1, kRealMax);
  llama3.low_freq_factor = fields.NumberOr("low_freq_factor", 0, 1e-3, kRealMax);
  llama3.high_freq_factor = fields.NumberOr("high_freq_factor", 0, 1e-3, kRealMax);
  llama3.original_positions =
      fields.RequireInt("original_max_position_embeddings", 1, kPositionsMax);
  BATON_RETURN_IF_ERROR(fields.status());
  if (llama3.low_freq_factor >= llama3.high_freq_factor) {
    return absl::InvalidArgumentError(
        "rope_scaling.low_freq_factor must be below high_freq_factor");
  }
  return llama3;
}

// Scalings a kind of layer, as models with sliding windows have them, are objects within.
absl::Status RefuseNested(const JsonObject& scaling) {
  for (const auto& [name, value] : scaling.members()) {
    if (value.AsObject() != nullptr) {
      return Unsupported(absl::StrFormat("rope_parameters holds an object (%s)", name));
    }
  }
  return absl::OkStatus();
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

}  // namespace

absl::Status Unsupported(absl::string_view what) {
  return absl::UnimplementedError(
      absl::StrFormat("config.json: %s, which this version does not run", what));
}

void ReadSizes(JsonFields& fields, ModelShape& shape) {
  shape.vocab_size = fields.RequireInt("vocab_size", 1, kVocabMax);
  shape.hidden = fields.RequireInt("hidden_size", 1, kDimMax);
  shape.num_layers = fields.RequireInt("num_hidden_layers", 1, kLayersMax);
  shape.num_heads = fields.RequireInt("num_attention_heads", 1, kDimMax);
  shape.positions_max = fields.RequireInt("max_position_embeddings", 1, kPositionsMax);
  shape.rms_epsilon = static_cast<float>(fields.NumberOr("rms_norm_eps", 1e-6, 0, 1));
  const std::string dtype = fields.StringOr("dtype", "bfloat16");
  shape.stored_dtype = fields.StringOr("torch_dtype", dtype);
}

void IgnoreHarmless(JsonFields& fields) {
  for (const char* name : kHarmless) fields.Ignore(name);
}

absl::Status ReadRope(JsonFields& fields, ModelShape& shape, std::vector<std::string>& unknown) {
  shape.rope_theta = fields.NumberOr("rope_theta", 10000, 2, 1e12);
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
  BATON_RETURN_IF_ERROR(RefuseNested(*chosen->AsObject()));
  const std::string where = scaling != nullptr ? "rope_scaling." : "rope_parameters.";
  JsonFields inner(*chosen->AsObject(), where);
  shape.rope_theta = inner.NumberOr("rope_theta", shape.rope_theta, 2, 1e12);
  const std::string spelled = inner.StringOr("type", "default");
  const std::string type = inner.StringOr("rope_type", spelled);
  BATON_RETURN_IF_ERROR(inner.status());
  if (type == "yarn") {
    BATON_ASSIGN_OR_RETURN(shape.yarn, ReadYarn(inner));
  } else if (type == "llama3") {
    BATON_ASSIGN_OR_RETURN(shape.llama3, ReadLlama3(inner));
  } else if (type != "default") {
    return Unsupported(absl::StrFormat("%stype is %s; needed is yarn or llama3", where, type));
  }
  for (const std::string& name : inner.Unread()) unknown.push_back(where + name);
  return fields.status();
}

absl::Status ReadTokens(JsonFields& fields, const JsonValue* generation, ModelShape& shape) {
  shape.bos = fields.IntOr("bos_token_id", -1, 0, shape.vocab_size - 1);
  BATON_RETURN_IF_ERROR(
      AddEndTokens(fields.Find("eos_token_id"), shape.vocab_size, shape.end_tokens));
  if (generation != nullptr && generation->AsObject() != nullptr) {
    JsonFields inner(*generation->AsObject(), "generation_config.json: ");
    BATON_RETURN_IF_ERROR(
        AddEndTokens(inner.Find("eos_token_id"), shape.vocab_size, shape.end_tokens));
  }
  std::sort(shape.end_tokens.begin(), shape.end_tokens.end());
  shape.end_tokens.erase(std::unique(shape.end_tokens.begin(), shape.end_tokens.end()),
                         shape.end_tokens.end());
  return fields.status();
}

}  // namespace baton
