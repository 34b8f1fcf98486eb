// Bytes of tokens to text that is always whole UTF-8. What could still become a character waits;
// what no longer can turns into U+FFFD, one for each maximal subpart. The end flushes.
//
// O(1) a byte, no window, and the prompt is never touched: re-decoding windows is where other
// engines leak a prompt's bytes. Pure.
// Source: Unicode 15, 3.9, table 3-7 (well-formed UTF-8) and "U+FFFD substitution of maximal
// subparts".
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace baton {

class Detokenizer {
 public:
  /// Appends to `text` what `bytes` completes.
  void Append(absl::string_view bytes, std::string& text);

  /// Appends U+FFFD to `text` if a character is still incomplete. The object is then as new.
  void Flush(std::string& text);

 private:
  void AppendByte(unsigned char byte, std::string& text);
  void Begin(unsigned char lead, std::string& text);

  std::array<char, 4> held_{};  // a well-formed beginning of one character
  std::size_t held_bytes_ = 0;
  std::size_t wanted_bytes_ = 0;   // of the character that has begun
  unsigned char next_low_ = 0x80;  // range of the next byte
  unsigned char next_high_ = 0xBF;
};

/// True when `bytes` is well-formed UTF-8 as it stands.
bool IsWholeUtf8(absl::string_view bytes);

}  // namespace baton
