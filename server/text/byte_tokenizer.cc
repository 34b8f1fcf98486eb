#include "server/text/byte_tokenizer.h"

namespace baton {

ByteTokenizer::ByteTokenizer() {
  for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<char>(i);
}

absl::StatusOr<std::vector<TokenId>> ByteTokenizer::Encode(absl::string_view text,
                                                           bool add_special_tokens) const {
  std::vector<TokenId> tokens;
  tokens.reserve(text.size() + 1);
  if (add_special_tokens) tokens.push_back(kBegin);
  for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
  return tokens;
}

absl::StatusOr<std::vector<TokenId>> ByteTokenizer::EncodeChat(
    const std::vector<ChatMessage>& messages) const {
  std::string text;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i > 0) text += '\n';
    text += messages[i].content;
  }
  return Encode(text, true);
}

absl::string_view ByteTokenizer::BytesOf(TokenId token) const {
  if (token == kBegin) return "<|begin|>";
  if (token == kEnd) return "<|end|>";
  if (token < 0 || token > kEnd) return {};
  return {&bytes_[static_cast<std::size_t>(token)], 1};
}

}  // namespace baton
