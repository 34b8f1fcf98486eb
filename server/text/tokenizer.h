// Text to token ids and back: the seam between a model's vocabulary and everything above it. Text
// exists in server/ alone; below it there are tokens.
//
// Thread: any (const and without state).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/ids.h"
#include "config/config.h"
#include "server/text/text_run.h"

namespace baton {

/// How a text that the caller wrote as a whole becomes ids.
struct EncodeOptions {
  bool add_special_tokens = false;   // what the model's post-processor adds: mostly a begin token
  bool parse_special_tokens = true;  // false: `<|end|>` in the text stays ordinary letters
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// The ids of `text` (any bytes).
  /// Errors: InvalidArgument when this model has no text (it then takes token ids only), or when a
  /// limit of splitting is hit.
  virtual absl::StatusOr<std::vector<TokenId>> Encode(absl::string_view text,
                                                      const EncodeOptions& options) const = 0;

  /// The ids of a rendered template. Nothing is added, since templates print their own begin token;
  /// added tokens are parsed in trusted runs alone. Errors: as Encode.
  virtual absl::StatusOr<std::vector<TokenId>> EncodeRuns(std::span<const TextRun> runs) const = 0;

  /// The bytes a token stands for; a special token's are its written form. Empty for ids without
  /// text and ids outside the vocabulary. Valid as long as the tokenizer.
  virtual absl::string_view BytesOf(TokenId token) const = 0;

  /// True for begin, end and other control tokens: left out of answers unless asked for.
  virtual bool IsSpecial(TokenId token) const = 0;

  /// False when the model has token ids only.
  virtual bool has_text() const = 0;

  /// What clients that encode for themselves ask for: tokenizer_config.json, a JSON object. Valid
  /// as long as the tokenizer.
  virtual absl::string_view config_json() const = 0;
};

/// The tokenizer of a model: bytes for `builtin:...`; what tokenizer.json says for a directory
/// (`model.tokenizer`'s before the model's own); token ids only where there is none.
/// Errors: InvalidArgument with the file and the place in it; NotFound when `model.tokenizer` names
/// a directory without tokenizer.json.
absl::StatusOr<std::unique_ptr<Tokenizer>> MakeTokenizer(const ModelConfig& model);

}  // namespace baton
