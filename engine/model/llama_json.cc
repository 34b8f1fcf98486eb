#include "engine/model/llama_json.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "engine/model/json_fields.h"
#include "engine/model/quantization.h"
#include "engine/model/shape_json.h"

namespace baton {
namespace {

// What a class says that its config.json does not.
struct Dialect {
  bool qkv_bias = false;  // always; else attention_bias says it, of the output too
  bool qk_norm = false;
  bool head_dim_stated = false;  // hidden_size / num_attention_heads is not it
};

constexpr int kHeadDimMax = 1024;

// Whatever is refused here would change tokens silently if it were ignored.
void RefuseWhatIsNotHonoured(JsonFields& fields) {
  if (const std::string act = fields.StringOr("hidden_act", "silu"); act != "silu") {
    fields.Fail(Unsupported(absl::StrFormat("hidden_act is %s; needed is silu", act)));
  }
  if (fields.BoolOr("mlp_bias", false)) fields.Fail(Unsupported("mlp_bias is true"));
  if (fields.BoolOr("use_sliding_window", false)) {
    fields.Fail(Unsupported("use_sliding_window is true"));
  }
  if (fields.NumberOr("partial_rotary_factor", 1, 0, 1) != 1) {
    fields.Fail(Unsupported("partial_rotary_factor is not 1"));
  }
}

// Newer files name the attention of every layer.
void RefuseSlidingLayers(JsonFields& fields) {
  const JsonValue* types = fields.Find("layer_types");
  if (types == nullptr) return;
  if (types->AsArray() == nullptr) {
    fields.Fail(absl::InvalidArgumentError("config.json: layer_types must be an array"));
    return;
  }
  for (const JsonValue& type : *types->AsArray()) {
    if (type.AsString() != nullptr && *type.AsString() == "full_attention") continue;
    fields.Fail(Unsupported("layer_types holds another than full_attention"));
    return;
  }
}

void ReadHeads(JsonFields& fields, const Dialect& dialect, LlamaConfig& config) {
  config.kv_heads = fields.IntOr("num_key_value_heads", config.num_heads, 1, kDimMax);
  if (!fields.status().ok()) return;
  if (config.num_heads % config.kv_heads != 0) {
    fields.Fail(absl::InvalidArgumentError(
        "config.json: num_key_value_heads must divide num_attention_heads"));
    return;
  }
  if (dialect.head_dim_stated || fields.Find("head_dim") != nullptr) {
    config.rope_dim = fields.RequireInt("head_dim", 2, kHeadDimMax);
  } else {
    config.rope_dim = config.hidden / config.num_heads;
    if (config.hidden % config.num_heads != 0) {
      fields.Fail(absl::InvalidArgumentError(
          "config.json: num_attention_heads must divide hidden_size when there is no head_dim"));
    }
  }
  if (config.rope_dim < 2 || config.rope_dim > kHeadDimMax || config.rope_dim % 2 != 0) {
    fields.Fail(absl::InvalidArgumentError(
        absl::StrFormat("config.json: head_dim is %d; it must be even and at most %d",
                        config.rope_dim, kHeadDimMax)));
  }
  if (std::int64_t{config.num_heads} * config.rope_dim > kDimMax) {
    fields.Fail(absl::InvalidArgumentError(
        absl::StrFormat("config.json: num_attention_heads x head_dim is above %d", kDimMax)));
  }
}

void ReadBiases(JsonFields& fields, const Dialect& dialect, LlamaConfig& config) {
  if (dialect.qkv_bias) {
    config.qkv_bias = true;
    return;
  }
  config.qkv_bias = config.out_bias = fields.BoolOr("attention_bias", false);
}

// A stretched model serves what its scaling was made for, also where max_position_embeddings
// still says what it was trained at, as Qwen's files do.
void RaiseLengthToYarn(LlamaConfig& config) {
  if (!config.yarn.has_value()) return;
  const double stretched = config.yarn->factor * config.yarn->original_positions;
  const double length = std::max<double>(config.positions_max, stretched);
  config.positions_max = static_cast<int>(std::min<double>(length, kPositionsMax));
}

absl::StatusOr<ParsedLlama> Parse(const JsonObject& object, const JsonValue* generation,
                                  const Dialect& dialect) {
  JsonFields fields(object, "config.json: ");
  fields.Ignore("model_type");
  ParsedLlama parsed;
  LlamaConfig& config = parsed.config;
  CheckQuantization(fields, parsed.unknown_fields);
  RefuseWhatIsNotHonoured(fields);
  RefuseSlidingLayers(fields);
  ReadSizes(fields, config);
  config.inter = fields.RequireInt("intermediate_size", 1, kDimMax);
  config.tied = fields.BoolOr("tie_word_embeddings", false);
  config.qk_norm = dialect.qk_norm;
  BATON_RETURN_IF_ERROR(fields.status());
  ReadHeads(fields, dialect, config);
  ReadBiases(fields, dialect, config);
  BATON_RETURN_IF_ERROR(fields.status());
  BATON_RETURN_IF_ERROR(ReadRope(fields, config, parsed.unknown_fields));
  RaiseLengthToYarn(config);
  BATON_RETURN_IF_ERROR(ReadTokens(fields, generation, config));
  IgnoreHarmless(fields);
  // Sizes of a window that use_sliding_window has just said is not used.
  for (const char* name : {"sliding_window", "max_window_layers"}) fields.Ignore(name);
  for (std::string& name : fields.Unread()) parsed.unknown_fields.push_back(std::move(name));
  return parsed;
}

}  // namespace

absl::StatusOr<ParsedLlama> ParseLlamaJson(const JsonObject& config, const JsonValue* generation) {
  return Parse(config, generation, {});
}

absl::StatusOr<ParsedLlama> ParseQwen2Json(const JsonObject& config, const JsonValue* generation) {
  return Parse(config, generation, {.qkv_bias = true});
}

absl::StatusOr<ParsedLlama> ParseQwen3Json(const JsonObject& config, const JsonValue* generation) {
  return Parse(config, generation, {.qk_norm = true, .head_dim_stated = true});
}

}  // namespace baton
