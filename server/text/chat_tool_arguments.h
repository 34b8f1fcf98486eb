// The arguments of earlier tool calls in a conversation: clients send them as JSON in a string,
// templates want that string or what it holds. Pure.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "base/json.h"
#include "server/text/chat_template.h"

namespace baton {

enum class ToolArgumentsForm : std::uint8_t { kParsed, kText };

/// Brings the arguments of every call in `messages` into that form.
/// Errors: InvalidArgument for text that is not JSON, with the message's number.
absl::Status SetToolArguments(ToolArgumentsForm form, JsonValue& messages);

/// A short conversation with a call in it, arguments parsed: to find out what a template takes.
ChatInput ToolCallProbe();

}  // namespace baton
