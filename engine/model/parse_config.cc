#include "engine/model/parse_config.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/model/deepseek_architecture.h"
#include "engine/model/deepseek_json.h"
#include "engine/model/json_fields.h"
#include "engine/model/llama_architecture.h"
#include "engine/model/llama_json.h"
#include "engine/model/shape_json.h"

namespace baton {
namespace {

template <DeepseekVersion kVersion>
absl::StatusOr<ParsedConfig> ParseDeepseek(const JsonObject& config, const JsonValue* generation) {
  BATON_ASSIGN_OR_RETURN(ParsedDeepseek parsed, ParseDeepseekJson(config, generation, kVersion));
  return ParsedConfig{std::make_unique<DeepseekArchitecture>(std::move(parsed.config)),
                      std::move(parsed.unknown_fields)};
}

template <absl::StatusOr<ParsedLlama> (*kParse)(const JsonObject&, const JsonValue*)>
absl::StatusOr<ParsedConfig> ParseLlama(const JsonObject& config, const JsonValue* generation) {
  BATON_ASSIGN_OR_RETURN(ParsedLlama parsed, kParse(config, generation));
  return ParsedConfig{std::make_unique<LlamaArchitecture>(std::move(parsed.config)),
                      std::move(parsed.unknown_fields)};
}

struct Family {
  const char* model_type;
  const char* causal_class;  // what `architectures` holds, when it is there
  absl::StatusOr<ParsedConfig> (*parse)(const JsonObject&, const JsonValue*);
};

constexpr Family kFamilies[] = {
    {"deepseek_v2", "DeepseekV2ForCausalLM", ParseDeepseek<DeepseekVersion::kV2>},
    {"deepseek_v3", "DeepseekV3ForCausalLM", ParseDeepseek<DeepseekVersion::kV3>},
    {"llama", "LlamaForCausalLM", ParseLlama<ParseLlamaJson>},
    {"qwen2", "Qwen2ForCausalLM", ParseLlama<ParseQwen2Json>},
    {"qwen3", "Qwen3ForCausalLM", ParseLlama<ParseQwen3Json>},
};

std::vector<std::string> ClassesOf(JsonFields& fields) {
  std::vector<std::string> classes;
  const JsonValue* architectures = fields.Find("architectures");
  if (architectures == nullptr || architectures->AsArray() == nullptr) return classes;
  for (const JsonValue& name : *architectures->AsArray()) {
    if (name.AsString() != nullptr) classes.push_back(*name.AsString());
  }
  return classes;
}

// Both names must agree: a classifier of a family that we run has no head to sample from.
bool Fits(const Family& family, const std::string& type, const std::vector<std::string>& classes) {
  if (!type.empty() && type != family.model_type) return false;
  if (classes.empty()) return !type.empty();
  return classes.size() == 1 && classes.front() == family.causal_class;
}

absl::Status UnknownFamily(const std::string& type, const std::vector<std::string>& classes) {
  std::string names;
  for (const Family& family : kFamilies) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", family.model_type);
  }
  std::string found = type.empty() ? "missing" : type;
  absl::StrAppend(&found, " (architectures:");
  for (const std::string& name : classes) absl::StrAppend(&found, " ", name);
  return Unsupported(absl::StrCat("model_type is ", found, "); needed is one of ", names));
}

}  // namespace

absl::StatusOr<ParsedConfig> ParseConfigJson(const JsonValue& config, const JsonValue* generation) {
  if (config.AsObject() == nullptr) {
    return absl::InvalidArgumentError("config.json must hold an object");
  }
  JsonFields fields(*config.AsObject(), "config.json: ");
  if (fields.Find("index_topk") != nullptr) {
    return Unsupported("model needs DeepSeek sparse attention (index_topk)");
  }
  const std::string type = fields.StringOr("model_type", "");
  BATON_RETURN_IF_ERROR(fields.status());
  const std::vector<std::string> classes = ClassesOf(fields);
  for (const Family& family : kFamilies) {
    if (Fits(family, type, classes)) return family.parse(*config.AsObject(), generation);
  }
  return UnknownFamily(type, classes);
}

}  // namespace baton
