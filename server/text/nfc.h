// Unicode's canonical composition (NFC), which Qwen's tokenizers ask for: `e` and a combining acute
// accent become one character. Text that holds nothing of the kind, nearly all, is only looked at.
//
// Thread: any.
// Source: Unicode Standard Annex #15; Hangul: Unicode 15, 3.12.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/text/marked_text.h"

namespace baton {

class Nfc {
 public:
  Nfc();

  /// True when `text` (well-formed UTF-8) surely is as it would be. Texts with combining marks may
  /// be and are not known to be.
  bool IsSurelyNormal(absl::string_view text) const;

  /// The same text, composed. A character is trusted when all that it was made of is.
  MarkedText Normalize(const MarkedText& text) const;

 private:
  struct Character {
    char32_t code;
    std::uint8_t combining_class;
  };

  bool IsInert(char32_t code) const;
  std::uint8_t ClassOf(char32_t code) const;
  void Decompose(char32_t code, std::vector<Character>& out) const;
  char32_t Compose(char32_t first, char32_t second) const;
  std::string NormalizePart(absl::string_view part) const;

  static constexpr char32_t kCodesEnd = 0x110000;
  static constexpr char32_t kBlock = 64;

  std::array<std::uint64_t, kCodesEnd / kBlock> active_{};  // a bit a code point: not inert
  absl::flat_hash_map<char32_t, std::pair<char32_t, char32_t>> parts_;
  absl::flat_hash_map<std::pair<char32_t, char32_t>, char32_t> whole_;
};

}  // namespace baton
