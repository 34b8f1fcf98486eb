// The body of POST /v1/chat/completions.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/openai/api_call.h"
#include "server/openai/common_fields.h"
#include "server/openai/field_reader.h"

namespace baton {
namespace {

using Refusal = std::optional<HttpError>;

// "developer" is the newer spelling of "system".
Refusal ReadRole(FieldReader& reader, std::string& role) {
  role = reader.String("role").value_or("");
  if (reader.error().has_value()) return reader.error();
  if (role == "developer") role = "system";
  if (role == "system" || role == "user" || role == "assistant" || role == "tool") {
    return std::nullopt;
  }
  return FieldError(reader.PathOf("role"),
                    "role must be developer, system, user, assistant or tool");
}

Refusal ReadParts(const JsonArray& parts, const std::string& path, std::string& content) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string here = absl::StrCat(path, "[", i, "]");
    const JsonObject* object = parts[i].AsObject();
    if (object == nullptr) return FieldError(here, "a content part must be an object");
    FieldReader part(*object, here + ".");
    const std::string type = part.String("type").value_or("");
    if (part.error().has_value()) return part.error();
    if (type != "text") {
      return UnsupportedError(part.PathOf("type"), "only parts of type text are served");
    }
    const std::optional<std::string> text = part.String("text");
    if (part.error().has_value()) return part.error();
    if (!text.has_value()) return FieldError(part.PathOf("text"), "a text part needs its text");
    content += *text;
  }
  return std::nullopt;
}

Refusal ReadContent(FieldReader& reader, std::string& content) {
  const JsonValue* value = reader.Find("content");
  const std::string path = reader.PathOf("content");
  if (value == nullptr) return FieldError(path, "a message needs content");
  if (const std::string* text = value->AsString()) {
    content = *text;
    return std::nullopt;
  }
  if (const JsonArray* parts = value->AsArray()) return ReadParts(*parts, path, content);
  return FieldError(path, "content must be a string or a list of text parts");
}

Refusal ReadMessage(const JsonValue& value, const std::string& path, const FieldLimits& limits,
                    ChatMessage& message) {
  const JsonObject* object = value.AsObject();
  if (object == nullptr) return FieldError(path, "a message must be an object");
  FieldReader reader(*object, path + ".");
  if (Refusal no = ReadRole(reader, message.role)) return no;
  const std::string name = reader.String("name").value_or("");
  if (reader.error().has_value()) return reader.error();
  if (name.size() > static_cast<std::size_t>(limits.name_bytes_max)) {
    return FieldError(reader.PathOf("name"),
                      absl::StrFormat("a name has at most %d bytes", limits.name_bytes_max));
  }
  const JsonArray* tool_calls = reader.Array("tool_calls");
  if (tool_calls != nullptr && !tool_calls->empty()) {
    return UnsupportedError(reader.PathOf("tool_calls"), "tools are not served");
  }
  return ReadContent(reader, message.content);
}

void ReadMaxTokens(FieldReader& reader, GenerationFields& fields) {
  fields.max_tokens = reader.Int("max_completion_tokens");
  fields.max_tokens_name = "max_completion_tokens";
  if (fields.max_tokens.has_value()) return;
  fields.max_tokens = reader.Int("max_tokens");
  fields.max_tokens_name = "max_tokens";
}

void ReadLogprobs(FieldReader& reader, GenerationFields& fields) {
  const bool wanted = reader.Bool("logprobs").value_or(false);
  const std::optional<std::int64_t> top = reader.Int("top_logprobs");
  fields.logprobs_name = "top_logprobs";
  if (wanted) {
    fields.logprobs = top.value_or(0);
  } else if (top.value_or(0) != 0) {
    reader.Fail(FieldError("top_logprobs", "top_logprobs needs logprobs: true"));
  }
}

}  // namespace

std::optional<HttpError> ParseMessages(const JsonArray& array, const FieldLimits& limits,
                                       std::vector<ChatMessage>& messages) {
  if (array.empty()) return FieldError("messages", "messages must hold at least one message");
  if (array.size() > static_cast<std::size_t>(limits.messages_max)) {
    return FieldError("messages", absl::StrFormat("at most %d messages", limits.messages_max));
  }
  for (std::size_t i = 0; i < array.size(); ++i) {
    ChatMessage message;
    if (Refusal no = ReadMessage(array[i], absl::StrCat("messages[", i, "]"), limits, message)) {
      return no;
    }
    messages.push_back(std::move(message));
  }
  return std::nullopt;
}

std::optional<HttpError> ParseChatCall(const JsonObject& body, const FieldLimits& limits,
                                       ApiCall& call) {
  FieldReader reader(body, "");
  call.style.chat = true;
  call.fields.prompt_name = "messages";
  ReadCommonFields(reader, call);
  ReadMaxTokens(reader, call.fields);
  ReadLogprobs(reader, call.fields);
  RefuseUnsupported(reader);
  const JsonArray* messages = reader.Array("messages");
  if (reader.error().has_value()) return reader.error();
  if (messages == nullptr) return FieldError("messages", "messages is required");
  return ParseMessages(*messages, limits, call.messages);
}

}  // namespace baton
