// The text of one answer, token by token: bytes of tokens, stop strings, whole characters. Both
// front doors use it, so that they cannot differ.
//
//   token --Tokenizer::BytesOf--> bytes --StopMatcher--> bytes --Detokenizer--> UTF-8
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "server/text/detokenizer.h"
#include "server/text/stop_matcher.h"
#include "server/text/tokenizer.h"

namespace baton {

/// What a request asks of its answer's text.
struct TextRules {
  std::vector<std::string> stops;
  bool include_stop = false;        // the stop string stays in the text; an end token's text too
  bool skip_special_tokens = true;  // control tokens leave no text
  int min_tokens = 0;               // stop strings are not looked for before that many
};

class AnswerText {
 public:
  /// `tokenizer` outlives it.
  AnswerText(const Tokenizer& tokenizer, TextRules rules);

  /// The text that `token` sets free, maybe empty. `ends` says that the token ends the answer by
  /// an end rule: its own bytes are then left out (unless include_stop). After a stop string was
  /// found nothing more may be appended.
  std::string Append(TokenId token, bool ends);

  /// The stop string found, if any.
  const std::string* stop_found() const;

  /// What was held back, once the answer has ended without a stop string.
  std::string Flush();

  int tokens() const { return tokens_; }

 private:
  const Tokenizer& tokenizer_;
  const TextRules rules_;
  StopMatcher matcher_;
  Detokenizer detokenizer_;
  std::optional<std::size_t> found_;
  int tokens_ = 0;
};

/// How a token is written where one token stands alone (logprobs): its bytes when they are whole
/// UTF-8, else `bytes:\xe4\xbd`, so that different tokens have different names.
std::string TokenName(absl::string_view bytes);

}  // namespace baton
