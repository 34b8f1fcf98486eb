#include "server/text/detokenizer.h"

namespace baton {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// What may follow a lead byte: the character's length and the range of its second byte.
struct Lead {
  std::size_t bytes;  // 0: no character begins so
  unsigned char low;
  unsigned char high;
};

Lead LeadOf(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};  // no surrogates
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};  // nothing past U+10FFFF
  return {0, 0, 0};
}

void AppendReplacement(std::string& text) { text.append(kReplacement.data(), kReplacement.size()); }

}  // namespace

void Detokenizer::Append(absl::string_view bytes, std::string& text) {
  for (const char c : bytes) AppendByte(static_cast<unsigned char>(c), text);
}

void Detokenizer::AppendByte(unsigned char byte, std::string& text) {
  if (held_bytes_ == 0) return Begin(byte, text);
  if (byte < next_low_ || byte > next_high_) {
    Flush(text);  // the maximal subpart ends before this byte, which may begin anew
    return Begin(byte, text);
  }
  held_[held_bytes_++] = static_cast<char>(byte);
  next_low_ = 0x80;
  next_high_ = 0xBF;
  if (held_bytes_ < wanted_bytes_) return;
  text.append(held_.data(), held_bytes_);
  held_bytes_ = 0;
}

void Detokenizer::Begin(unsigned char lead, std::string& text) {
  if (lead < 0x80) {
    text += static_cast<char>(lead);
    return;
  }
  const Lead what = LeadOf(lead);
  if (what.bytes == 0) return AppendReplacement(text);
  held_[0] = static_cast<char>(lead);
  held_bytes_ = 1;
  wanted_bytes_ = what.bytes;
  next_low_ = what.low;
  next_high_ = what.high;
}

void Detokenizer::Flush(std::string& text) {
  if (held_bytes_ > 0) AppendReplacement(text);
  held_bytes_ = 0;
}

bool IsWholeUtf8(absl::string_view bytes) {
  Detokenizer detokenizer;
  std::string text;
  detokenizer.Append(bytes, text);
  detokenizer.Flush(text);
  return absl::string_view(text) == bytes;
}

}  // namespace baton
