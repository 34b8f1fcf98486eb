#include "server/text/nfc.h"

#include <algorithm>
#include <string>

#include "server/text/nfc_tables.h"
#include "server/text/utf8.h"

namespace baton {
namespace {

// Hangul syllables are arithmetic. Source: Unicode 15, 3.12.
constexpr char32_t kSyllables = 0xAC00;
constexpr char32_t kLeads = 0x1100;
constexpr char32_t kVowels = 0x1161;
constexpr char32_t kTails = 0x11A7;  // one before the first
constexpr char32_t kLeadCount = 19;
constexpr char32_t kVowelCount = 21;
constexpr char32_t kTailCount = 28;  // "none" included
constexpr char32_t kSyllableCount = kLeadCount * kVowelCount * kTailCount;

constexpr char32_t kFirstActive = 0x300;  // nothing before it decomposes alone or combines

}  // namespace

Nfc::Nfc() {
  const auto activate = [this](char32_t code) {
    active_[code / kBlock] |= std::uint64_t{1} << (code % kBlock);
  };
  for (const CombiningRange& range : CombiningRanges()) {
    for (char32_t code = range.first; code <= range.last; ++code) activate(code);
  }
  for (const Decomposition& one_way : OneWayDecompositions()) {
    parts_[one_way.composed] = {one_way.first, one_way.second};
    activate(one_way.composed);
  }
  for (const Decomposition& pair : ComposedCharacters()) {
    parts_[pair.composed] = {pair.first, pair.second};
    whole_[{pair.first, pair.second}] = pair.composed;
    activate(pair.second);
  }
  for (char32_t i = 0; i < kVowelCount; ++i) activate(kVowels + i);
  for (char32_t i = 1; i < kTailCount; ++i) activate(kTails + i);
}

// Inert characters stay themselves and keep what stands before and after apart.
bool Nfc::IsInert(char32_t code) const {
  return code < kFirstActive || (active_[code / kBlock] >> (code % kBlock) & 1U) == 0;
}

std::uint8_t Nfc::ClassOf(char32_t code) const {
  const auto marks = CombiningRanges();
  const auto found = std::upper_bound(
      marks.begin(), marks.end(), code,
      [](char32_t wanted, const CombiningRange& range) { return wanted <= range.last; });
  return found == marks.end() || code < found->first ? std::uint8_t{0} : found->combining_class;
}

bool Nfc::IsSurelyNormal(absl::string_view text) const {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = CharacterAt(text, at);
    if (!IsInert(character.code)) return false;
    at += character.bytes;
  }
  return true;
}

void Nfc::Decompose(char32_t code, std::vector<Character>& out) const {
  if (code >= kSyllables && code < kSyllables + kSyllableCount) {
    const char32_t index = code - kSyllables;
    out.push_back({kLeads + index / (kVowelCount * kTailCount), 0});
    out.push_back({kVowels + index / kTailCount % kVowelCount, 0});
    if (index % kTailCount != 0) out.push_back({kTails + index % kTailCount, 0});
    return;
  }
  const auto parts = parts_.find(code);
  if (parts == parts_.end()) {
    out.push_back({code, ClassOf(code)});
    return;
  }
  Decompose(parts->second.first, out);
  if (parts->second.second != 0) Decompose(parts->second.second, out);
}

char32_t Nfc::Compose(char32_t first, char32_t second) const {
  if (first >= kLeads && first < kLeads + kLeadCount && second >= kVowels &&
      second < kVowels + kVowelCount) {
    return kSyllables + ((first - kLeads) * kVowelCount + second - kVowels) * kTailCount;
  }
  if (first >= kSyllables && first < kSyllables + kSyllableCount &&
      (first - kSyllables) % kTailCount == 0 && second > kTails && second < kTails + kTailCount) {
    return first + second - kTails;
  }
  const auto whole = whole_.find({first, second});
  return whole == whole_.end() ? 0 : whole->second;
}

std::string Nfc::NormalizePart(absl::string_view part) const {
  std::vector<Character> characters;
  for (std::size_t at = 0; at < part.size();) {
    const Utf8Character character = CharacterAt(part, at);
    Decompose(character.code, characters);
    at += character.bytes;
  }
  // Marks between two characters of class 0 go in order of their classes.
  for (auto begin = characters.begin(); begin != characters.end();) {
    const auto end = std::find_if(begin, characters.end(),
                                  [](const Character& c) { return c.combining_class == 0; });
    std::stable_sort(begin, end, [](const Character& a, const Character& b) {
      return a.combining_class < b.combining_class;
    });
    begin = end == characters.end() ? end : end + 1;
  }
  std::vector<Character> composed;
  std::ptrdiff_t starter = -1;  // index of the last of class 0
  int last_class = -1;          // of what stands between it and the next; -1: nothing
  for (const Character& next : characters) {
    const char32_t whole =
        starter >= 0 && last_class < next.combining_class
            ? Compose(composed[static_cast<std::size_t>(starter)].code, next.code)
            : 0;
    if (whole != 0) {
      composed[static_cast<std::size_t>(starter)].code = whole;
      continue;
    }
    if (next.combining_class == 0) starter = static_cast<std::ptrdiff_t>(composed.size());
    last_class = next.combining_class == 0 ? -1 : next.combining_class;
    composed.push_back(next);
  }
  std::string text;
  for (const Character& character : composed) AppendUtf8(character.code, text);
  return text;
}

MarkedText Nfc::Normalize(const MarkedText& text) const {
  MarkedText normal;
  const absl::string_view whole = text.text();
  std::size_t copied = 0;  // what stands before is in `normal`
  std::size_t part = 0;    // where the last inert character began
  for (std::size_t at = 0; at < whole.size();) {
    const Utf8Character character = CharacterAt(whole, at);
    if (IsInert(character.code)) {
      part = at;
      at += character.bytes;
      continue;
    }
    while (at < whole.size() && !IsInert(CharacterAt(whole, at).code)) {
      at += CharacterAt(whole, at).bytes;
    }
    normal.AppendFrom(text, copied, part);
    normal.Append(NormalizePart(whole.substr(part, at - part)), text.IsTrusted(part, at));
    copied = at;
    part = at;
  }
  normal.AppendFrom(text, copied, whole.size());
  return normal;
}

}  // namespace baton
