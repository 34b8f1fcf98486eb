#include "server/text/token_id_tokenizer.h"

#include <memory>

#include "absl/strings/match.h"
#include "server/text/byte_tokenizer.h"

namespace baton {
namespace {

absl::Status NoText() {
  return absl::InvalidArgumentError(
      "this model is served by token ids only: send prompt as a list of token ids to "
      "/v1/completions and ask for return_token_ids");
}

}  // namespace

absl::StatusOr<std::vector<TokenId>> TokenIdTokenizer::Encode(absl::string_view, bool) const {
  return NoText();
}

absl::StatusOr<std::vector<TokenId>> TokenIdTokenizer::EncodeChat(
    const std::vector<ChatMessage>&) const {
  return NoText();
}

absl::string_view TokenIdTokenizer::BytesOf(TokenId) const { return {}; }

bool TokenIdTokenizer::IsSpecial(TokenId) const { return false; }

std::unique_ptr<Tokenizer> MakeTokenizer(absl::string_view model_path) {
  if (absl::StartsWith(model_path, "builtin:recall")) return std::make_unique<ByteTokenizer>();
  return std::make_unique<TokenIdTokenizer>();
}

}  // namespace baton
