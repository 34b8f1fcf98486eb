#include "server/text/token_id_tokenizer.h"

namespace baton {
namespace {

absl::Status NoText() {
  return absl::InvalidArgumentError(
      "this model is served by token ids only: send prompt as a list of token ids to "
      "/v1/completions and ask for return_token_ids");
}

}  // namespace

absl::StatusOr<std::vector<TokenId>> TokenIdTokenizer::Encode(absl::string_view,
                                                              const EncodeOptions&) const {
  return NoText();
}

absl::StatusOr<std::vector<TokenId>> TokenIdTokenizer::EncodeRuns(std::span<const TextRun>) const {
  return NoText();
}

absl::string_view TokenIdTokenizer::BytesOf(TokenId) const { return {}; }

bool TokenIdTokenizer::IsSpecial(TokenId) const { return false; }

}  // namespace baton
