// The tokenizer of `builtin:recall`: a token a byte, and two control tokens. It needs no file.
//
//   0..255  the byte of that value        256  begin <|begin|>        257  end <|end|>
//
// A chat (ChatFormat) is begin, then the contents of all messages joined by a newline, and nothing
// after the last: the answer continues the last message's text. So a chat that holds
// `kite=4821;moss=0937;` and ends with `moss=` is answered with `0937;`.
#pragma once

#include <array>
#include <string>

#include "server/text/tokenizer.h"

namespace baton {

class ByteTokenizer : public Tokenizer {
 public:
  static constexpr TokenId kBegin = 256;
  static constexpr TokenId kEnd = 257;

  ByteTokenizer();

  absl::StatusOr<std::vector<TokenId>> Encode(absl::string_view text,
                                              const EncodeOptions& options) const override;
  absl::StatusOr<std::vector<TokenId>> EncodeRuns(std::span<const TextRun> runs) const override;
  absl::string_view BytesOf(TokenId token) const override;
  bool IsSpecial(TokenId token) const override { return token == kBegin || token == kEnd; }
  bool has_text() const override { return true; }
  absl::string_view config_json() const override {
    return R"({"bos_token":"<|begin|>","eos_token":"<|end|>"})";
  }

 private:
  std::array<char, 256> bytes_;  // bytes_[i] == i: what BytesOf points into
};

}  // namespace baton
