#include "server/text/chat_format.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/chat_tool_arguments.h"
#include "server/text/template_limits.h"

namespace baton {
namespace {

namespace fs = std::filesystem;

// The text of all messages, one a line; the answer goes on after the last one's. Roles leave no
// trace: the built-in model recalls what stands before, whoever said it.
constexpr absl::string_view kBuiltinTemplate =
    "<|begin|>{% for m in messages %}{{ m.content }}{{ '\\n' if not loop.last }}{% endfor %}";

constexpr std::size_t kConfigBytesMax = 16 * 1024 * 1024;

// Empty where there is no such file.
absl::StatusOr<std::optional<std::string>> ReadIfThere(const fs::path& path,
                                                       std::size_t bytes_max) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::optional<std::string>();
  if (fs::file_size(path, error) > bytes_max) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("%s has more than %d bytes", path.string(), bytes_max));
  }
  std::stringstream text;
  std::ifstream file(path, std::ios::binary);
  text << file.rdbuf();
  if (!file) return absl::NotFoundError(absl::StrFormat("%s cannot be read", path.string()));
  return std::optional<std::string>(text.str());
}

absl::StatusOr<JsonObject> ReadObject(const fs::path& path) {
  BATON_ASSIGN_OR_RETURN(const std::optional<std::string> text, ReadIfThere(path, kConfigBytesMax));
  if (!text.has_value()) return JsonObject();
  const absl::StatusOr<JsonValue> json = ParseJson(*text);
  if (!json.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), ": ", json.status().message()));
  }
  const JsonObject* object = json->AsObject();
  if (object == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), ": it is no JSON object"));
  }
  return *object;
}

// "<s>", or {"content": "<s>", ...}.
const std::string* TokenText(const JsonValue& value) {
  if (value.AsString() != nullptr) return value.AsString();
  const JsonValue* content =
      value.AsObject() == nullptr ? nullptr : value.AsObject()->Find("content");
  return content == nullptr ? nullptr : content->AsString();
}

std::vector<std::pair<std::string, std::string>> SpecialTokens(const JsonObject& config) {
  static constexpr absl::string_view kNames[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                 "pad_token", "cls_token", "mask_token"};
  std::vector<std::pair<std::string, std::string>> tokens;
  for (const absl::string_view name : kNames) {
    const JsonValue* value = config.Find(name);
    const std::string* text = value == nullptr ? nullptr : TokenText(*value);
    if (text != nullptr) tokens.emplace_back(std::string(name), *text);
  }
  return tokens;
}

ToolCallMarkup MarkupOfArchitecture(const JsonObject& config) {
  const JsonValue* type = config.Find("model_type");
  const std::string name = type == nullptr || type->AsString() == nullptr ? "" : *type->AsString();
  if (absl::StartsWith(name, "deepseek")) return ToolCallMarkup::kDeepSeek;
  if (name == "llama") return ToolCallMarkup::kLlamaJson;
  return absl::StartsWith(name, "qwen") ? ToolCallMarkup::kHermes : ToolCallMarkup::kNone;
}

// `configured` is one of the words of server.tool_call_parser.
ToolCallMarkup MarkupOf(const std::string& configured, const JsonObject& config) {
  if (configured == "auto") return MarkupOfArchitecture(config);
  if (configured == "deepseek_v3") return ToolCallMarkup::kDeepSeek;
  if (configured == "llama3_json") return ToolCallMarkup::kLlamaJson;
  return configured == "hermes" ? ToolCallMarkup::kHermes : ToolCallMarkup::kNone;
}

}  // namespace

absl::StatusOr<ChatFormat> ChatFormat::Load(const ModelConfig& model, const ServerConfig& server) {
  ChatFormat format;
  JsonObject config;
  JsonObject tokenizer_config;
  if (absl::StartsWith(model.path, "builtin:")) {
    if (model.chat_template.empty()) {
      BATON_RETURN_IF_ERROR(format.Keep(kBuiltinTemplate, model.path));
    }
  } else {
    const fs::path texts = model.tokenizer.empty() ? model.path : model.tokenizer;
    BATON_ASSIGN_OR_RETURN(config, ReadObject(fs::path(model.path) / "config.json"));
    BATON_ASSIGN_OR_RETURN(tokenizer_config, ReadObject(texts / "tokenizer_config.json"));
    format.special_tokens_ = SpecialTokens(tokenizer_config);
  }
  if (!format.default_.has_value()) {
    BATON_RETURN_IF_ERROR(format.LoadTemplates(model, tokenizer_config));
  }
  format.tool_calls_ = MarkupOf(server.tool_call_parser, config);
  format.splits_reasoning_ = server.reasoning_parser == "think";
  format.FindArgumentsForm();
  return format;
}

absl::Status ChatFormat::Keep(absl::string_view source, const std::string& origin) {
  BATON_ASSIGN_OR_RETURN(default_, ChatTemplate::Parse(source, origin));
  return absl::OkStatus();
}

absl::Status ChatFormat::LoadTemplates(const ModelConfig& model,
                                       const JsonObject& tokenizer_config) {
  // One byte more than a template may have: its own limit then says what is wrong.
  constexpr std::size_t kReadBytesMax = kTemplateSourceBytesMax + 1;
  if (!model.chat_template.empty()) {
    BATON_ASSIGN_OR_RETURN(const auto given, ReadIfThere(model.chat_template, kReadBytesMax));
    if (given.has_value()) return Keep(*given, model.chat_template);
    return absl::NotFoundError(
        absl::StrFormat("model.chat_template: there is no file %s", model.chat_template));
  }
  const fs::path texts = model.tokenizer.empty() ? model.path : model.tokenizer;
  const fs::path file = texts / "chat_template.jinja";
  BATON_ASSIGN_OR_RETURN(const auto own, ReadIfThere(file, kReadBytesMax));
  if (own.has_value()) return Keep(*own, file.string());
  const JsonValue* value = tokenizer_config.Find("chat_template");
  if (value == nullptr || value->is_null()) return absl::OkStatus();
  const std::string origin = (texts / "tokenizer_config.json").string();
  if (value->AsString() != nullptr) return Keep(*value->AsString(), origin);
  if (value->AsArray() != nullptr) return LoadNamed(*value->AsArray(), origin);
  return absl::InvalidArgumentError(absl::StrCat(origin, ": chat_template is no text or list"));
}

absl::Status ChatFormat::LoadNamed(const JsonArray& templates, const std::string& file) {
  for (const JsonValue& entry : templates) {
    const JsonObject* object = entry.AsObject();
    const JsonValue* name = object == nullptr ? nullptr : object->Find("name");
    const JsonValue* source = object == nullptr ? nullptr : object->Find("template");
    if (name == nullptr || name->AsString() == nullptr || source == nullptr ||
        source->AsString() == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": chat_template: an entry needs name and template"));
    }
    const std::string origin = absl::StrCat(file, "#", *name->AsString());
    if (*name->AsString() == "default") {
      BATON_RETURN_IF_ERROR(Keep(*source->AsString(), origin));
    } else if (*name->AsString() == "tool_use") {
      BATON_ASSIGN_OR_RETURN(tool_use_, ChatTemplate::Parse(*source->AsString(), origin));
    }
  }
  if (default_.has_value()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(file, ": chat_template has no entry named default"));
}

// Some families' templates print the arguments of earlier calls as JSON and want them parsed,
// others join them to their text and want them as the model wrote them. Asked once, by trying.
void ChatFormat::FindArgumentsForm() {
  const ChatTemplate* with_tools = tool_use_.has_value() ? &*tool_use_ : nullptr;
  if (with_tools == nullptr && default_.has_value()) with_tools = &*default_;
  if (with_tools == nullptr) return;
  ChatInput parsed = ToolCallProbe();
  parsed.special_tokens = special_tokens_;
  ChatInput text = parsed;
  if (!SetToolArguments(ToolArgumentsForm::kText, text.messages).ok()) return;
  arguments_as_text_ = !with_tools->Render(parsed).ok() && with_tools->Render(text).ok();
}

absl::StatusOr<std::vector<TextRun>> ChatFormat::Render(ChatInput input) const {
  if (!default_.has_value()) {
    return absl::InvalidArgumentError(
        "this model has no chat template: start with --chat-template FILE, or use completions");
  }
  const ToolArgumentsForm form =
      arguments_as_text_ ? ToolArgumentsForm::kText : ToolArgumentsForm::kParsed;
  BATON_RETURN_IF_ERROR(SetToolArguments(form, input.messages));
  input.special_tokens = special_tokens_;
  const bool with_tools = tool_use_.has_value() && !input.tools.is_null();
  return (with_tools ? *tool_use_ : *default_).Render(input);
}

}  // namespace baton
