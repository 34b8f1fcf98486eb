// The JSON of what an answer in a chat says: text, thought, calls of tools, for streamed and whole
// answers alike. Pure.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "server/text/chat_answer.h"

namespace baton {

/// A name for a call, unique in the conversation: "call_...".
std::string NewToolCallId();

/// The members of a streamed `delta` after its role: `reasoning_content` and `tool_calls` where
/// there are any, `content` where there is any or nothing else. A call's first entry carries id,
/// type and name.
JsonObject ChatDeltaJson(const ChatAnswerDelta& delta, const std::function<std::string()>& new_id);

/// A whole answer, gathered delta by delta.
class ChatMessageParts {
 public:
  void Add(const ChatAnswerDelta& delta, const std::function<std::string()>& new_id);

  /// `message` as an answer carries it; content is null where there are only calls.
  JsonObject TakeMessage();

 private:
  struct Call {
    std::string id;
    std::string name;
    std::string arguments;
  };

  std::string content_;
  std::string reasoning_;
  std::vector<Call> calls_;
};

}  // namespace baton
