#include "server/text/reasoning_splitter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace baton {
namespace {

constexpr absl::string_view kOpen = "<think>";
constexpr absl::string_view kClose = "</think>";

}  // namespace

std::size_t HeldSuffix(absl::string_view text, absl::string_view mark) {
  for (std::size_t size = std::min(text.size(), mark.size() - 1); size > 0; --size) {
    if (absl::EndsWith(text, mark.substr(0, size))) return size;
  }
  return 0;
}

bool EndsInThought(absl::string_view prompt) {
  return absl::EndsWith(absl::StripTrailingAsciiWhitespace(prompt), kOpen);
}

SplitText ReasoningSplitter::Append(absl::string_view text) {
  SplitText split;
  held_.append(text.data(), text.size());
  if (state_ == State::kBeginning) {
    const absl::string_view bare = absl::StripLeadingAsciiWhitespace(held_);
    if (absl::StartsWith(kOpen, bare) && bare.size() < kOpen.size()) return split;
    if (absl::StartsWith(bare, kOpen)) {
      held_ = std::string(bare.substr(kOpen.size()));
      state_ = State::kThought;
    } else {
      state_ = State::kAnswer;
    }
  }
  if (state_ == State::kThought) {
    const std::size_t close = held_.find(kClose.data(), 0, kClose.size());
    if (close == std::string::npos) {
      const std::size_t kept = HeldSuffix(held_, kClose);
      split.reasoning = held_.substr(0, held_.size() - kept);
      held_.erase(0, held_.size() - kept);
      return split;
    }
    split.reasoning = held_.substr(0, close);
    held_.erase(0, close + kClose.size());
    state_ = State::kAnswer;
  }
  split.content = std::exchange(held_, {});
  return split;
}

SplitText ReasoningSplitter::Flush() {
  SplitText split;
  (state_ == State::kThought ? split.reasoning : split.content) = std::exchange(held_, {});
  return split;
}

}  // namespace baton
