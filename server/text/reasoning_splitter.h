// Parts an answer into what the model thought and what it says: `<think>` ... `</think>`, then the
// rest. A small machine over the stream of text; what could still become a mark is held back.
//
// Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace baton {

/// What some more text of an answer turns out to be; either may be empty.
struct SplitText {
  std::string reasoning;
  std::string content;
};

class ReasoningSplitter {
 public:
  /// `open`: the prompt ended inside a thought, so the answer begins in it. Otherwise a thought
  /// opens only at the answer's very beginning.
  explicit ReasoningSplitter(bool open) : state_(open ? State::kThought : State::kBeginning) {}

  SplitText Append(absl::string_view text);

  /// The answer is over: what was held back.
  SplitText Flush();

 private:
  enum class State { kBeginning, kThought, kAnswer };

  State state_;
  std::string held_;
};

/// True when `prompt` ends inside a thought that it opened: after `<think>` and white space.
bool EndsInThought(absl::string_view prompt);

/// Bytes at the end of `text` that are a proper beginning of `mark`.
std::size_t HeldSuffix(absl::string_view text, absl::string_view mark);

}  // namespace baton
