// Characters of text that is already known to be well-formed UTF-8, and how far a text is so.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace baton {

struct Utf8Character {
  char32_t code;
  std::size_t bytes;
};

/// The character at `at`. `text` is well-formed from there on.
Utf8Character CharacterAt(absl::string_view text, std::size_t at);

/// The character that ends before `end`, which is not 0. `text` is well-formed up to there.
Utf8Character CharacterBefore(absl::string_view text, std::size_t end);

/// Appends a code point that is no surrogate.
void AppendUtf8(char32_t code, std::string& text);

/// Bytes of the longest beginning of `text` that is well-formed.
std::size_t WellFormedBytes(absl::string_view text);

}  // namespace baton
