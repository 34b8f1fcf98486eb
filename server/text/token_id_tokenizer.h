// The tokenizer of a model whose vocabulary is not read: token ids go in and come out, text is
// refused by a message that says so.
#pragma once

#include "server/text/tokenizer.h"

namespace baton {

class TokenIdTokenizer : public Tokenizer {
 public:
  absl::StatusOr<std::vector<TokenId>> Encode(absl::string_view text,
                                              const EncodeOptions& options) const override;
  absl::StatusOr<std::vector<TokenId>> EncodeRuns(std::span<const TextRun> runs) const override;
  absl::string_view BytesOf(TokenId token) const override;
  bool IsSpecial(TokenId token) const override;
  bool has_text() const override { return false; }
  absl::string_view config_json() const override { return "{}"; }
};

}  // namespace baton
