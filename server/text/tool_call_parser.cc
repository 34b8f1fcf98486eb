#include "server/text/tool_call_parser.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "server/text/reasoning_splitter.h"

namespace baton {
namespace {

using Kind = AnswerPiece::Kind;

// Marks around DeepSeek's calls, which say nothing themselves.
constexpr absl::string_view kAround[] = {
    "<\xEF\xBD\x9Ctool\xE2\x96\x81"
    "calls\xE2\x96\x81"
    "begin\xEF\xBD\x9C>",
    "<\xEF\xBD\x9Ctool\xE2\x96\x81"
    "calls\xE2\x96\x81"
    "end\xEF\xBD\x9C>"};

void Add(Kind kind, int call, absl::string_view text, std::vector<AnswerPiece>& pieces) {
  const bool joins = !pieces.empty() && kind != Kind::kCall && pieces.back().kind == kind &&
                     pieces.back().call == call;
  if (joins) {
    pieces.back().text.append(text.data(), text.size());
  } else {
    pieces.push_back({kind, call, std::string(text)});
  }
}

}  // namespace

void ToolCallParser::Append(absl::string_view text, std::vector<AnswerPiece>& pieces) {
  if (markup_ == ToolCallMarkup::kNone) {
    if (!text.empty()) Add(Kind::kContent, 0, text, pieces);
    return;
  }
  held_.append(text.data(), text.size());
  while (Step(pieces)) {
  }
}

bool ToolCallParser::Step(std::vector<AnswerPiece>& pieces) {
  switch (state_) {
    case State::kText:
      return markup_ == ToolCallMarkup::kLlamaJson ? StepLlamaText(pieces) : StepText(pieces);
    case State::kHead:
      return StepHead(pieces);
    case State::kArguments:
      return StepArguments(pieces);
    case State::kTail:
      return StepTail();
  }
  return false;
}

// White space right after a call waits for text: most of it stands between calls.
void ToolCallParser::Say(absl::string_view text, std::vector<AnswerPiece>& pieces) {
  const bool only_space = absl::StripLeadingAsciiWhitespace(text).empty();
  space_.append(text.data(), text.size());
  if (calls_ > 0 && only_space) return;
  if (!space_.empty()) Add(Kind::kContent, 0, space_, pieces);
  space_.clear();
}

bool ToolCallParser::StepText(std::vector<AnswerPiece>& pieces) {
  if (held_.empty()) return false;
  const absl::string_view opener = ToolCallOpener(markup_);
  absl::string_view next = opener;
  std::size_t found = held_.find(opener.data(), 0, opener.size());
  if (markup_ == ToolCallMarkup::kDeepSeek) {
    for (const absl::string_view mark : kAround) {
      const std::size_t other = held_.find(mark.data(), 0, mark.size());
      if (other >= found) continue;
      found = other;
      next = mark;
    }
  }
  if (found != std::string::npos) {
    Say(held_.substr(0, found), pieces);
    held_.erase(0, found + (next == opener ? 0 : next.size()));
    if (next == opener) state_ = State::kHead;
    return true;
  }
  std::size_t kept = HeldSuffix(held_, opener);
  if (markup_ == ToolCallMarkup::kDeepSeek) {
    for (const absl::string_view mark : kAround) kept = std::max(kept, HeldSuffix(held_, mark));
  }
  Say(held_.substr(0, held_.size() - kept), pieces);
  held_.erase(0, held_.size() - kept);
  return false;
}

// The whole answer is calls, or it is text: the first byte that is no white space decides.
bool ToolCallParser::StepLlamaText(std::vector<AnswerPiece>& pieces) {
  const std::size_t begin = held_.find_first_not_of(calls_ > 0 ? " \t\r\n;" : " \t\r\n");
  if (begin == std::string::npos && !plain_) return false;
  if (!plain_ && held_[begin] == '{') {
    held_.erase(0, begin);
    state_ = State::kHead;
    return true;
  }
  plain_ = true;
  Say(std::exchange(held_, {}), pieces);
  return false;
}

bool ToolCallParser::StepHead(std::vector<AnswerPiece>& pieces) {
  const std::size_t opener = ToolCallOpener(markup_).size();
  ToolCallHead head;
  const ToolCallRead read =
      ReadToolCallHead(markup_, absl::string_view(held_).substr(opener), head);
  if (read == ToolCallRead::kMore) return false;
  if (read == ToolCallRead::kFailed) {
    plain_ = true;
    state_ = State::kText;
    Say(held_.substr(0, opener), pieces);
    held_.erase(0, opener);
    return true;
  }
  if (calls_ < calls_max_) Add(Kind::kCall, calls_, head.name, pieces);
  ++calls_;
  space_.clear();
  held_.erase(0, opener + head.size);
  depth_ = 0;
  in_string_ = escaped_ = false;
  state_ = State::kArguments;
  return true;
}

void ToolCallParser::SayArguments(absl::string_view text, std::vector<AnswerPiece>& pieces) {
  if (calls_ <= calls_max_ && !text.empty()) Add(Kind::kArguments, calls_ - 1, text, pieces);
}

bool ToolCallParser::StepArguments(std::vector<AnswerPiece>& pieces) {
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const char c = held_[i];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      continue;
    }
    if (c == '"') in_string_ = true;
    if (c == '{' || c == '[') ++depth_;
    if (c == '}' || c == ']') --depth_;
    if (depth_ > 0) continue;
    SayArguments(held_.substr(0, i + 1), pieces);
    held_.erase(0, i + 1);
    state_ = State::kTail;
    return true;
  }
  SayArguments(held_, pieces);
  held_.clear();
  return false;
}

bool ToolCallParser::StepTail() {
  std::size_t size = 0;
  const ToolCallRead read = ReadToolCallTail(markup_, held_, size);
  if (read == ToolCallRead::kMore) return false;
  if (read == ToolCallRead::kDone) held_.erase(0, size);
  state_ = State::kText;
  return !held_.empty();
}

void ToolCallParser::Flush(std::vector<AnswerPiece>& pieces) {
  if (state_ == State::kText || state_ == State::kHead) Say(held_, pieces);
  if (state_ == State::kTail) {
    // A tail that never ended: of its closing mark only a beginning came.
    std::size_t size = 0;
    if (ReadToolCallTail(markup_, held_, size) == ToolCallRead::kFailed) Say(held_, pieces);
  }
  held_.clear();
}

}  // namespace baton
