#include "server/text/chat_tool_arguments.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace baton {
namespace {

// A copy of `object` with the member `name` replaced in its place.
JsonObject With(const JsonObject& object, absl::string_view name, JsonValue value) {
  JsonObject copy;
  for (const auto& [key, member] : object.members()) {
    copy.Insert(key, key == name ? std::move(value) : member);
  }
  return copy;
}

absl::StatusOr<JsonValue> Formed(ToolArgumentsForm form, const JsonValue& arguments) {
  const std::string* text = arguments.AsString();
  if (form == ToolArgumentsForm::kText) {
    return text != nullptr ? arguments : JsonValue(WriteJson(arguments));
  }
  if (text == nullptr) return arguments;
  return text->empty() ? JsonValue(JsonObject()) : ParseJson(*text);
}

absl::StatusOr<JsonValue> FormedCall(ToolArgumentsForm form, const JsonValue& call) {
  const JsonObject* object = call.AsObject();
  const JsonValue* function = object == nullptr ? nullptr : object->Find("function");
  const JsonObject* inner = function == nullptr ? nullptr : function->AsObject();
  const JsonValue* arguments = inner == nullptr ? nullptr : inner->Find("arguments");
  if (arguments == nullptr) return call;
  BATON_ASSIGN_OR_RETURN(JsonValue formed, Formed(form, *arguments));
  return JsonValue(With(*object, "function", With(*inner, "arguments", std::move(formed))));
}

}  // namespace

absl::Status SetToolArguments(ToolArgumentsForm form, JsonValue& messages) {
  const JsonArray* array = messages.AsArray();
  if (array == nullptr) return absl::OkStatus();
  JsonArray formed;
  formed.reserve(array->size());
  for (std::size_t i = 0; i < array->size(); ++i) {
    const JsonObject* message = (*array)[i].AsObject();
    const JsonValue* calls = message == nullptr ? nullptr : message->Find("tool_calls");
    if (calls == nullptr || calls->AsArray() == nullptr) {
      formed.push_back((*array)[i]);
      continue;
    }
    JsonArray formed_calls;
    for (const JsonValue& call : *calls->AsArray()) {
      absl::StatusOr<JsonValue> one = FormedCall(form, call);
      if (!one.ok()) {
        return absl::InvalidArgumentError(
            absl::StrFormat("messages[%d].tool_calls: the arguments of a call are not JSON", i));
      }
      formed_calls.push_back(*std::move(one));
    }
    formed.push_back(With(*message, "tool_calls", std::move(formed_calls)));
  }
  messages = std::move(formed);
  return absl::OkStatus();
}

ChatInput ToolCallProbe() {
  const JsonObject function = MakeJson({{"name", "f"}, {"arguments", MakeJson({{"x", "y"}})}});
  JsonArray calls;
  calls.push_back(MakeJson({{"id", "c"}, {"type", "function"}, {"function", function}}));
  JsonArray messages;
  messages.push_back(MakeJson({{"role", "user"}, {"content", "a"}}));
  messages.push_back(
      MakeJson({{"role", "assistant"}, {"content", nullptr}, {"tool_calls", std::move(calls)}}));
  messages.push_back(MakeJson({{"role", "tool"}, {"tool_call_id", "c"}, {"content", "b"}}));
  ChatInput input;
  input.messages = std::move(messages);
  return input;
}

}  // namespace baton
