// Text to token ids and back: the seam between a model's vocabulary and everything above it. Text
// exists in server/ alone; below it there are tokens.
//
// Thread: any (const and without state).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/ids.h"

namespace baton {

/// One turn of a conversation, as the client sent it. Its text is never parsed for special tokens.
struct ChatMessage {
  std::string role;  // system, user, assistant, tool
  std::string content;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// The ids of `text` (any bytes). `add_special_tokens` puts the model's begin token in front,
  /// where it has one.
  /// Errors: InvalidArgument when this model has no text (it then takes token ids only).
  virtual absl::StatusOr<std::vector<TokenId>> Encode(absl::string_view text,
                                                      bool add_special_tokens) const = 0;

  /// The ids of a conversation up to where the answer begins. Errors: as Encode.
  virtual absl::StatusOr<std::vector<TokenId>> EncodeChat(
      const std::vector<ChatMessage>& messages) const = 0;

  /// The bytes a token stands for; a special token's are its written form. Empty for ids without
  /// text and ids outside the vocabulary. Valid as long as the tokenizer.
  virtual absl::string_view BytesOf(TokenId token) const = 0;

  /// True for begin, end and other control tokens: left out of answers unless asked for.
  virtual bool IsSpecial(TokenId token) const = 0;

  /// False when the model has token ids only.
  virtual bool has_text() const = 0;
};

/// The tokenizer of a model: bytes for `builtin:recall...`, token ids only for a directory.
/// `model_path` is ModelConfig::path.
std::unique_ptr<Tokenizer> MakeTokenizer(absl::string_view model_path);

}  // namespace baton
