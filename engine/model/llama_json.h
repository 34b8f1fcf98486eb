// Reads a Hugging Face config.json of the Llama, Qwen2 and Qwen3 families. Strict where a wrong
// guess would give wrong tokens: a value that the forward pass does not honour is refused by name,
// and a field that no list knows is handed back so that the loader can say so once.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/json.h"
#include "engine/model/llama_config.h"

namespace baton {

struct ParsedLlama {
  LlamaConfig config;
  std::vector<std::string> unknown_fields;  // neither read nor known to be harmless
};

/// `generation` is generation_config.json, or null when the directory has none; its end tokens
/// join config.json's.
/// Errors: InvalidArgument names the field that is missing, of a wrong type or out of range;
/// Unimplemented names what the model would need.
absl::StatusOr<ParsedLlama> ParseLlamaJson(const JsonObject& config, const JsonValue* generation);
absl::StatusOr<ParsedLlama> ParseQwen2Json(const JsonObject& config, const JsonValue* generation);
absl::StatusOr<ParsedLlama> ParseQwen3Json(const JsonObject& config, const JsonValue* generation);

}  // namespace baton
