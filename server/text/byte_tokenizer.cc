#include "server/text/byte_tokenizer.h"

#include "absl/strings/strip.h"

namespace baton {
namespace {

constexpr absl::string_view kBeginText = "<|begin|>";
constexpr absl::string_view kEndText = "<|end|>";

void AppendText(absl::string_view text, bool parse_special_tokens, std::vector<TokenId>& tokens) {
  while (!text.empty()) {
    if (parse_special_tokens && absl::ConsumePrefix(&text, kBeginText)) {
      tokens.push_back(ByteTokenizer::kBegin);
    } else if (parse_special_tokens && absl::ConsumePrefix(&text, kEndText)) {
      tokens.push_back(ByteTokenizer::kEnd);
    } else {
      tokens.push_back(static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
    }
  }
}

}  // namespace

ByteTokenizer::ByteTokenizer() {
  for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<char>(i);
}

absl::StatusOr<std::vector<TokenId>> ByteTokenizer::Encode(absl::string_view text,
                                                           const EncodeOptions& options) const {
  std::vector<TokenId> tokens;
  tokens.reserve(text.size() + 1);
  if (options.add_special_tokens) tokens.push_back(kBegin);
  AppendText(text, options.parse_special_tokens, tokens);
  return tokens;
}

absl::StatusOr<std::vector<TokenId>> ByteTokenizer::EncodeRuns(
    std::span<const TextRun> runs) const {
  std::vector<TokenId> tokens;
  for (const TextRun& run : runs) AppendText(run.text, run.trusted, tokens);
  return tokens;
}

absl::string_view ByteTokenizer::BytesOf(TokenId token) const {
  if (token == kBegin) return kBeginText;
  if (token == kEnd) return kEndText;
  if (token < 0 || token > kEnd) return {};
  return {&bytes_[static_cast<std::size_t>(token)], 1};
}

}  // namespace baton
