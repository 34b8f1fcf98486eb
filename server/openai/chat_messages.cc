// The messages of a chat, from what a client sent to what a template sees.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/openai/api_call.h"
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

// Text parts become one text: every template prints a text, few know parts.
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

// May be absent where the message calls tools.
Refusal ReadContent(FieldReader& reader, bool calls_tools, JsonObject& message) {
  const JsonValue* value = reader.Find("content");
  const std::string path = reader.PathOf("content");
  if (value == nullptr && calls_tools) return std::nullopt;
  if (value == nullptr) return FieldError(path, "a message needs content");
  std::string content;
  if (const std::string* text = value->AsString()) {
    content = *text;
  } else if (const JsonArray* parts = value->AsArray()) {
    if (Refusal no = ReadParts(*parts, path, content)) return no;
  } else {
    return FieldError(path, "content must be a string or a list of text parts");
  }
  message.Insert("content", std::move(content));
  return std::nullopt;
}

Refusal ReadCall(const JsonValue& value, const std::string& path, JsonArray& calls) {
  const JsonObject* object = value.AsObject();
  if (object == nullptr) return FieldError(path, "a tool call must be an object");
  FieldReader reader(*object, path + ".");
  const std::string id = reader.String("id").value_or("");
  const std::string type = reader.String("type").value_or("function");
  const JsonObject* function = reader.Object("function");
  if (reader.error().has_value()) return reader.error();
  if (type != "function" || function == nullptr) {
    return UnsupportedError(path + ".type", "only calls of type function are served");
  }
  FieldReader inner(*function, path + ".function.");
  const std::string name = inner.String("name").value_or("");
  const JsonValue* arguments = inner.Find("arguments");
  if (inner.error().has_value()) return inner.error();
  if (name.empty()) return FieldError(inner.PathOf("name"), "a call needs its function's name");
  const bool known =
      arguments == nullptr || arguments->AsString() != nullptr || arguments->AsObject() != nullptr;
  if (!known) {
    return FieldError(inner.PathOf("arguments"), "arguments must be a string of JSON");
  }
  JsonObject called = MakeJson({{"name", name}});
  called.Insert("arguments", arguments == nullptr ? JsonValue("") : *arguments);
  JsonObject call = MakeJson({{"type", type}, {"function", std::move(called)}});
  if (!id.empty()) call.Insert("id", id);
  calls.push_back(std::move(call));
  return std::nullopt;
}

Refusal ReadCalls(FieldReader& reader, JsonArray& calls) {
  const JsonArray* given = reader.Array("tool_calls");
  if (reader.error().has_value()) return reader.error();
  for (std::size_t i = 0; given != nullptr && i < given->size(); ++i) {
    const std::string path = absl::StrCat(reader.PathOf("tool_calls"), "[", i, "]");
    if (Refusal no = ReadCall((*given)[i], path, calls)) return no;
  }
  return std::nullopt;
}

// Fields that go to the template as they are.
Refusal ReadTexts(FieldReader& reader, const FieldLimits& limits, JsonObject& message) {
  for (const char* name : {"name", "tool_call_id", "reasoning_content"}) {
    const std::optional<std::string> text = reader.String(name);
    if (reader.error().has_value()) return reader.error();
    if (!text.has_value()) continue;
    const bool is_name = absl::string_view(name) != "reasoning_content";
    if (is_name && text->size() > static_cast<std::size_t>(limits.name_bytes_max)) {
      return FieldError(reader.PathOf(name),
                        absl::StrFormat("a name has at most %d bytes", limits.name_bytes_max));
    }
    message.Insert(name, *text);
  }
  return std::nullopt;
}

Refusal ReadMessage(const JsonValue& value, const std::string& path, const FieldLimits& limits,
                    JsonArray& messages) {
  const JsonObject* object = value.AsObject();
  if (object == nullptr) return FieldError(path, "a message must be an object");
  FieldReader reader(*object, path + ".");
  std::string role;
  if (Refusal no = ReadRole(reader, role)) return no;
  JsonObject message = MakeJson({{"role", role}});
  JsonArray calls;
  if (Refusal no = ReadCalls(reader, calls)) return no;
  if (Refusal no = ReadContent(reader, !calls.empty(), message)) return no;
  if (Refusal no = ReadTexts(reader, limits, message)) return no;
  if (!calls.empty()) message.Insert("tool_calls", std::move(calls));
  messages.push_back(std::move(message));
  return std::nullopt;
}

}  // namespace

std::optional<HttpError> ParseMessages(const JsonArray& array, const FieldLimits& limits,
                                       JsonArray& messages) {
  if (array.empty()) return FieldError("messages", "messages must hold at least one message");
  if (array.size() > static_cast<std::size_t>(limits.messages_max)) {
    return FieldError("messages", absl::StrFormat("at most %d messages", limits.messages_max));
  }
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (Refusal no = ReadMessage(array[i], absl::StrCat("messages[", i, "]"), limits, messages)) {
      return no;
    }
  }
  return std::nullopt;
}

}  // namespace baton
