#include "server/text/byte_letters.h"

#include <array>

#include "server/text/utf8.h"

namespace baton {
namespace {

constexpr char32_t kLettersEnd = 0x144;  // the last letter is U+0143
constexpr int kNoByte = -1;

/// Bytes that print are their own letter; the others get U+0100, U+0101, ... in order.
constexpr bool PrintsItself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

constexpr std::array<int, kLettersEnd> MakeByteOfLetter() {
  std::array<int, kLettersEnd> byte_of{};
  for (int& byte : byte_of) byte = kNoByte;
  std::size_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    byte_of[PrintsItself(byte) ? static_cast<std::size_t>(byte) : next++] = byte;
  }
  return byte_of;
}

constexpr std::array<int, kLettersEnd> kByteOfLetter = MakeByteOfLetter();

}  // namespace

bool BytesFromLetters(absl::string_view letters, std::string& bytes) {
  bytes.clear();
  for (std::size_t at = 0; at < letters.size();) {
    const Utf8Character letter = CharacterAt(letters, at);
    if (letter.code >= kLettersEnd || kByteOfLetter[letter.code] == kNoByte) return false;
    bytes += static_cast<char>(kByteOfLetter[letter.code]);
    at += letter.bytes;
  }
  return true;
}

}  // namespace baton
