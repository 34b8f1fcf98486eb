// One choice's answer in a chat, as it streams: thought, text and calls of tools told apart. Both
// ways of answering (streamed and whole) use it, so that they cannot differ.
//
//   text --ReasoningSplitter--> content --ToolCallParser--> pieces
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "server/text/reasoning_splitter.h"
#include "server/text/tool_call_parser.h"

namespace baton {

/// What an answer is to be read for.
struct ChatAnswerRules {
  bool splits_reasoning = false;
  bool opens_in_thought = false;  // the prompt ended inside one
  ToolCallMarkup tools = ToolCallMarkup::kNone;
  bool parallel_calls = true;

  /// False: the answer is its text.
  bool reads() const { return splits_reasoning || tools != ToolCallMarkup::kNone; }
};

/// What some more text adds.
struct ChatAnswerDelta {
  std::string reasoning;
  std::vector<AnswerPiece> pieces;  // content and calls, in order
};

class ChatAnswer {
 public:
  explicit ChatAnswer(const ChatAnswerRules& rules);

  /// `last`: the answer is over; what was held back comes too.
  ChatAnswerDelta Append(absl::string_view text, bool last);

  int calls() const { return tools_.calls(); }

 private:
  const bool splits_;
  ReasoningSplitter reasoning_;
  ToolCallParser tools_;
};

}  // namespace baton
