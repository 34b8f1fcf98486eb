#include "server/text/chat_answer.h"

#include <limits>

namespace baton {

ChatAnswer::ChatAnswer(const ChatAnswerRules& rules)
    : splits_(rules.splits_reasoning),
      reasoning_(rules.opens_in_thought),
      tools_(rules.tools, rules.parallel_calls ? std::numeric_limits<int>::max() : 1) {}

ChatAnswerDelta ChatAnswer::Append(absl::string_view text, bool last) {
  ChatAnswerDelta delta;
  if (!splits_) {
    tools_.Append(text, delta.pieces);
  } else {
    SplitText split = reasoning_.Append(text);
    if (last) {
      const SplitText rest = reasoning_.Flush();
      split.reasoning += rest.reasoning;
      split.content += rest.content;
    }
    delta.reasoning = std::move(split.reasoning);
    tools_.Append(split.content, delta.pieces);
  }
  if (last) tools_.Flush(delta.pieces);
  return delta;
}

}  // namespace baton
