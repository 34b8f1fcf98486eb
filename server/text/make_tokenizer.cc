// Which tokenizer a model has.
#include "absl/strings/match.h"
#include "server/text/byte_tokenizer.h"
#include "server/text/token_id_tokenizer.h"
#include "server/text/tokenizer.h"

namespace baton {

absl::StatusOr<std::unique_ptr<Tokenizer>> MakeTokenizer(const ModelConfig& model) {
  if (absl::StartsWith(model.path, "builtin:")) return std::make_unique<ByteTokenizer>();
  return std::make_unique<TokenIdTokenizer>();
}

}  // namespace baton
