// Reads tokenizer.json, the published form of a tokenizer. Its vocabulary and merges are taken as
// they are parsed and never become a tree. Whatever a part of it asks for and this tokenizer does
// not do is refused by its path: ids that are nearly right would be worse than none.
//
// Pure.
// Source: huggingface/tokenizers, tokenizer/serialization.rs and the files named beside each part.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/ids.h"
#include "server/text/added_tokens.h"
#include "server/text/merge_table.h"
#include "server/text/pre_tokenizer.h"
#include "server/text/token_table.h"

namespace baton {

inline constexpr std::size_t kTokenizerFileBytesMax = 64 * 1024 * 1024;
inline constexpr int kTokenizerFileDepthMax = 64;
inline constexpr std::size_t kVocabularyTokensMax = 1 << 20;
inline constexpr std::size_t kMergesMax = 1 << 20;
inline constexpr std::size_t kAddedTokensMax = 1 << 14;
inline constexpr TokenId kTokenIdEnd = 1 << 21;  // ids lie below
inline constexpr std::size_t kSplitStepsMax = 32;

/// What a post-processor puts around a text.
struct AroundTokens {
  std::vector<TokenId> before;
  std::vector<TokenId> after;
};

/// A tokenizer, taken apart.
struct TokenizerParts {
  TokenTable vocabulary;  // tokens by their bytes
  TokenTable unspelled;   // tokens whose names spell no bytes, by name: no text becomes one
  MergeTable merges;
  bool ignore_merges = false;
  bool nfc = false;  // the normalizer; there is no other
  PreTokenizer pre_tokenizer;
  std::vector<AddedToken> added_tokens;
  AroundTokens around;

  /// The id of the token of that name, added ones included; kNoToken when there is none.
  TokenId Find(absl::string_view name) const;
};

/// Errors: InvalidArgument with the path inside the file.
absl::StatusOr<TokenizerParts> ReadTokenizerJson(absl::string_view json);

}  // namespace baton
