#include "server/text/template_text.h"

#include <algorithm>

namespace baton {

bool TemplateText::TrustedAt(std::size_t offset) const {
  const auto passed = std::upper_bound(borders.begin(), borders.end(), offset) - borders.begin();
  return passed % 2 == 0 ? trusted : !trusted;
}

void TemplateTextBuilder::Append(absl::string_view bytes, bool trusted) {
  if (bytes.empty()) return;
  if (bytes.size() > bytes_max_ - bytes_.size()) {
    overflowed_ = true;
    return;
  }
  if (bytes_.empty()) {
    first_trusted_ = trusted;
  } else if (trusted != last_trusted_) {
    borders_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  }
  last_trusted_ = trusted;
  bytes_.append(bytes.data(), bytes.size());
}

void TemplateTextBuilder::Append(const TemplateText& text) { Append(text, 0, text.bytes.size()); }

void TemplateTextBuilder::Append(const TemplateText& text, std::size_t begin, std::size_t end) {
  bool trusted = text.TrustedAt(begin);
  auto border = std::upper_bound(text.borders.begin(), text.borders.end(), begin);
  while (begin < end) {
    const std::size_t stop =
        border == text.borders.end() ? end : std::min<std::size_t>(end, *border++);
    Append(text.bytes.substr(begin, stop - begin), trusted);
    begin = stop;
    trusted = !trusted;
  }
}

std::vector<TextRun> TemplateTextBuilder::TakeRuns() const {
  std::vector<TextRun> runs;
  runs.reserve(borders_.size() + 1);
  std::size_t begin = 0;
  bool trusted = first_trusted_;
  for (std::size_t i = 0; i <= borders_.size() && begin < bytes_.size(); ++i) {
    const std::size_t end = i < borders_.size() ? borders_[i] : bytes_.size();
    runs.push_back({bytes_.substr(begin, end - begin), trusted});
    begin = end;
    trusted = !trusted;
  }
  return runs;
}

std::size_t CountCharacters(absl::string_view bytes) {
  std::size_t count = 0;
  for (const char c : bytes) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

std::size_t CharacterOffset(absl::string_view bytes, std::size_t n) {
  std::size_t offset = 0;
  for (; n > 0 && offset < bytes.size(); --n) offset += CharacterBytes(bytes[offset]);
  return std::min(offset, bytes.size());
}

std::size_t CharacterBytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

}  // namespace baton
