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

// Names that the template's own variables have: no request may hide them.
constexpr absl::string_view kTemplateNames[] = {"messages", "tools", "documents",
                                                "add_generation_prompt"};
constexpr std::size_t kToolsMax = 128;

Refusal CheckTools(const JsonArray& tools, const FieldLimits& limits) {
  if (tools.size() > kToolsMax) {
    return FieldError("tools", absl::StrFormat("at most %d tools", kToolsMax));
  }
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const std::string path = absl::StrCat("tools[", i, "]");
    const JsonObject* tool = tools[i].AsObject();
    if (tool == nullptr) return FieldError(path, "a tool must be an object");
    FieldReader reader(*tool, path + ".");
    const std::string type = reader.String("type").value_or("");
    const JsonObject* function = reader.Object("function");
    if (reader.error().has_value()) return reader.error();
    if (type != "function" || function == nullptr) {
      return UnsupportedError(path + ".type", "only tools of type function are served");
    }
    FieldReader inner(*function, path + ".function.");
    const std::string name = inner.String("name").value_or("");
    if (inner.error().has_value()) return inner.error();
    if (name.empty() || name.size() > static_cast<std::size_t>(limits.name_bytes_max)) {
      return FieldError(inner.PathOf("name"),
                        absl::StrFormat("a name has 1 to %d bytes", limits.name_bytes_max));
    }
  }
  return std::nullopt;
}

void ReadTools(FieldReader& reader, const FieldLimits& limits, ApiCall& call) {
  call.style.answer.parallel_calls = reader.Bool("parallel_tool_calls").value_or(true);
  const JsonArray* tools = reader.Array("tools");
  if (tools == nullptr || tools->empty()) return;
  if (Refusal no = CheckTools(*tools, limits)) return reader.Fail(*std::move(no));
  const JsonValue* choice = reader.Find("tool_choice");
  const bool hidden =
      choice != nullptr && choice->AsString() != nullptr && *choice->AsString() == "none";
  if (!hidden) call.chat.tools = *tools;
}

void ReadKwargs(FieldReader& reader, ChatInput& chat) {
  const JsonObject* kwargs = reader.Object("chat_template_kwargs");
  if (kwargs != nullptr) chat.kwargs = *kwargs;
  for (const absl::string_view name : kTemplateNames) {
    if (chat.kwargs.Find(name) == nullptr) continue;
    reader.Fail(FieldError(absl::StrCat("chat_template_kwargs.", name),
                           "a field of its own says that, or nothing may"));
  }
  const std::optional<std::string> effort = reader.String("reasoning_effort");
  if (effort.has_value()) chat.kwargs.Insert("reasoning_effort", *effort);
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

void ReadTemplateFields(FieldReader& reader, const FieldLimits& limits, ApiCall& call) {
  ChatInput& chat = call.chat;
  chat.continue_final_message = reader.Bool("continue_final_message").value_or(false);
  chat.add_generation_prompt =
      reader.Bool("add_generation_prompt").value_or(!chat.continue_final_message);
  if (chat.continue_final_message && chat.add_generation_prompt) {
    reader.Fail(FieldError("continue_final_message",
                           "it goes on with the last message: say add_generation_prompt false"));
  }
  ReadTools(reader, limits, call);
  ReadKwargs(reader, chat);
}

std::optional<HttpError> ParseChatCall(const JsonObject& body, const FieldLimits& limits,
                                       ApiCall& call) {
  FieldReader reader(body, "");
  call.style.chat = true;
  call.fields.prompt_name = "messages";
  ReadCommonFields(reader, call);
  ReadMaxTokens(reader, call.fields);
  ReadLogprobs(reader, call.fields);
  ReadTemplateFields(reader, limits, call);
  RefuseUnsupported(reader);
  if (call.fields.echo) {
    reader.Fail(UnsupportedError("echo", "a chat's prompt is not echoed: use completions"));
  }
  const JsonArray* messages = reader.Array("messages");
  if (reader.error().has_value()) return reader.error();
  if (messages == nullptr) return FieldError("messages", "messages is required");
  JsonArray parsed;
  if (Refusal no = ParseMessages(*messages, limits, parsed)) return no;
  call.chat.messages = std::move(parsed);
  return std::nullopt;
}

}  // namespace baton
