#include "server/text/utf8.h"

#include <cstdint>
#include <cstring>

namespace baton {
namespace {

unsigned ByteAt(absl::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool IsContinuation(unsigned byte) { return (byte & 0xC0) == 0x80; }

/// Bytes of the whole character at `at`, or 0. Source: Unicode 15, 3.9, table 3-7.
std::size_t WholeCharacterBytes(absl::string_view text, std::size_t at) {
  const unsigned lead = ByteAt(text, at);
  if (lead < 0x80) return 1;
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() - at < bytes) return 0;
  for (std::size_t i = 1; i < bytes; ++i) {
    if (!IsContinuation(ByteAt(text, at + i))) return 0;
  }
  const unsigned second = ByteAt(text, at + 1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool no_character = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || no_character ? 0 : bytes;
}

/// Bytes of ASCII from `at` on, counted eight at a time; maybe a few fewer than there are.
std::size_t AsciiBytes(absl::string_view text, std::size_t at) {
  std::size_t bytes = 0;
  while (text.size() - at - bytes >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at + bytes, sizeof(word));
    if ((word & 0x8080808080808080U) != 0) break;
    bytes += sizeof(word);
  }
  return bytes;
}

}  // namespace

Utf8Character CharacterAt(absl::string_view text, std::size_t at) {
  const unsigned lead = ByteAt(text, at);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  char32_t code = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) code = code << 6 | (ByteAt(text, at + i) & 0x3F);
  return {code, bytes};
}

Utf8Character CharacterBefore(absl::string_view text, std::size_t end) {
  std::size_t at = end - 1;
  while (at > 0 && IsContinuation(ByteAt(text, at))) --at;
  return CharacterAt(text, at);
}

void AppendUtf8(char32_t code, std::string& text) {
  if (code < 0x80) {
    text += static_cast<char>(code);
    return;
  }
  const int bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  const unsigned mark = 0xF00U >> bytes & 0xFF;  // as many leading ones as there are bytes
  text += static_cast<char>(mark | code >> (6 * (bytes - 1)));
  for (int i = bytes - 2; i >= 0; --i) text += static_cast<char>(0x80 | (code >> (6 * i) & 0x3F));
}

std::size_t WellFormedBytes(absl::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    at += AsciiBytes(text, at);
    if (at == text.size()) break;
    const std::size_t bytes = WholeCharacterBytes(text, at);
    if (bytes == 0) return at;
    at += bytes;
  }
  return at;
}

}  // namespace baton
