#include "server/text/answer_text.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"

namespace baton {

AnswerText::AnswerText(const Tokenizer& tokenizer, TextRules rules)
    : tokenizer_(tokenizer),
      rules_(std::move(rules)),
      matcher_(rules_.stops, rules_.include_stop) {}

std::string AnswerText::Append(TokenId token, bool ends) {
  BATON_CHECK(!found_.has_value());
  ++tokens_;
  const bool hidden =
      (rules_.skip_special_tokens && tokenizer_.IsSpecial(token)) || (ends && !rules_.include_stop);
  std::string text;
  if (hidden) return text;
  std::string bytes;
  const absl::string_view token_bytes = tokenizer_.BytesOf(token);
  if (tokens_ > rules_.min_tokens) {
    found_ = matcher_.Append(token_bytes, bytes);
  } else {
    bytes.assign(token_bytes.data(), token_bytes.size());
  }
  detokenizer_.Append(bytes, text);
  if (found_.has_value()) detokenizer_.Flush(text);
  return text;
}

const std::string* AnswerText::stop_found() const {
  return found_.has_value() ? &matcher_.stop(*found_) : nullptr;
}

std::string AnswerText::Flush() {
  std::string text;
  if (found_.has_value()) return text;
  std::string bytes;
  matcher_.Flush(bytes);
  detokenizer_.Append(bytes, text);
  detokenizer_.Flush(text);
  return text;
}

std::string TokenName(absl::string_view bytes) {
  if (IsWholeUtf8(bytes)) return std::string(bytes);
  std::string name = "bytes:";
  for (const char c : bytes) {
    absl::StrAppendFormat(&name, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return name;
}

}  // namespace baton
