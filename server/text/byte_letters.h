// The alphabet in which byte-level vocabularies are written: a printable character for each of the
// 256 bytes, so that a JSON file can hold any bytes. `Ġthe` stands for ` the`.
// Source: openai/gpt-2 src/encoder.py, bytes_to_unicode.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace baton {

/// Writes the bytes that `letters` (well-formed UTF-8) stands for into `bytes`. False when one of
/// its characters stands for no byte.
bool BytesFromLetters(absl::string_view letters, std::string& bytes);

}  // namespace baton
