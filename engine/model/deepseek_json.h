// Reads a Hugging Face config.json of DeepSeek V2, V3 or R1. Strict where a wrong guess would give
// wrong tokens: a value that the forward pass does not honour is refused by name, and a field that
// no list knows is handed back so that the loader can say so once.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/json.h"
#include "engine/model/deepseek_config.h"

namespace baton {

/// V2's gate is a softmax, V3's a sigmoid with a correction bias; all else they share.
enum class DeepseekVersion { kV2, kV3 };

struct ParsedDeepseek {
  DeepseekConfig config;
  std::vector<std::string> unknown_fields;  // neither read nor known to be harmless
};

/// `generation` is generation_config.json, or null when the directory has none; its end tokens
/// join config.json's. That `config` is of this family is the caller's to know.
/// Errors: InvalidArgument names the field that is missing, of a wrong type or out of range;
/// Unimplemented names what the model would need.
absl::StatusOr<ParsedDeepseek> ParseDeepseekJson(const JsonObject& config,
                                                 const JsonValue* generation,
                                                 DeepseekVersion version);

}  // namespace baton
