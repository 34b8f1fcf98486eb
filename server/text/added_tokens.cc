#include "server/text/added_tokens.h"

#include <algorithm>

#include "server/text/unicode_tables.h"
#include "server/text/utf8.h"

namespace baton {
namespace {

std::uint64_t EdgeOf(std::int32_t node, char byte) {
  return static_cast<std::uint64_t>(node) << 8 | static_cast<unsigned char>(byte);
}

bool IsWord(char32_t code) {
  const auto words = WordRanges();
  const auto found = std::upper_bound(
      words.begin(), words.end(), code,
      [](char32_t wanted, const CodeRange& range) { return wanted <= range.last; });
  return found != words.end() && code >= found->first;
}

// White_Space.
bool IsBlank(char32_t code) {
  return (code >= 0x9 && code <= 0xD) || code == 0x20 || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

bool StandsAlone(absl::string_view text, std::size_t begin, std::size_t end) {
  if (begin > 0 && IsWord(CharacterBefore(text, begin).code)) return false;
  return end == text.size() || !IsWord(CharacterAt(text, end).code);
}

std::size_t BlanksBefore(absl::string_view text, std::size_t end, std::size_t stop) {
  while (end > stop) {
    const Utf8Character before = CharacterBefore(text, end);
    if (!IsBlank(before.code)) break;
    end -= before.bytes;
  }
  return end;
}

std::size_t BlanksAfter(absl::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    const Utf8Character after = CharacterAt(text, begin);
    if (!IsBlank(after.code)) break;
    begin += after.bytes;
  }
  return begin;
}

}  // namespace

void AddedTokenFinder::Add(const AddedToken& token, absl::string_view written) {
  if (written.empty()) return;
  std::int32_t node = 0;
  for (const char byte : written) {
    const auto [edge, is_new] =
        next_.try_emplace(EdgeOf(node, byte), static_cast<std::int32_t>(nodes_.size()));
    if (is_new) nodes_.emplace_back();
    node = edge->second;
  }
  begins_[static_cast<unsigned char>(written[0])] = true;
  Node& last = nodes_[static_cast<std::size_t>(node)];
  if (last.token >= 0) return;
  last.token = static_cast<std::int32_t>(tokens_.size());
  tokens_.push_back({token.id, token.lstrip, token.rstrip, token.single_word});
}

// The leftmost token in [from, end) of `text`, of those that begin there the longest.
std::optional<AddedTokenFinder::Found> AddedTokenFinder::Find(absl::string_view text,
                                                              std::size_t from,
                                                              std::size_t end) const {
  for (std::size_t begin = from; begin < end; ++begin) {
    if (!begins_[static_cast<unsigned char>(text[begin])]) continue;
    std::optional<Found> longest;
    std::int32_t node = 0;
    for (std::size_t at = begin; at < end; ++at) {
      const auto edge = next_.find(EdgeOf(node, text[at]));
      if (edge == next_.end()) break;
      node = edge->second;
      const std::int32_t token = nodes_[static_cast<std::size_t>(node)].token;
      if (token >= 0) longest = Found{begin, at + 1, static_cast<std::size_t>(token)};
    }
    if (longest.has_value()) return longest;
  }
  return std::nullopt;
}

// Adds what stands before the token and the token, unless its rules forbid it here. Blanks that a
// token before has swallowed stay with that one.
void AddedTokenFinder::Take(absl::string_view text, const Found& found, std::size_t& done,
                            std::vector<Part>& parts) const {
  const Rules& token = tokens_[found.token];
  if (token.single_word && !StandsAlone(text, found.begin, found.end)) return;
  std::size_t begin = found.begin;
  if (token.lstrip) begin = std::max(BlanksBefore(text, begin, 0), done);
  const std::size_t end = token.rstrip ? BlanksAfter(text, found.end) : found.end;
  if (done < begin) parts.push_back({done, begin, kNoToken});
  parts.push_back({begin, end, token.id});
  done = end;
}

std::vector<AddedTokenFinder::Part> AddedTokenFinder::Split(const MarkedText& text) const {
  std::vector<Part> parts;
  std::size_t done = 0;
  std::size_t region_begin = 0;
  for (const MarkedText::Region& region : text.regions()) {
    std::size_t from = region_begin;
    region_begin = region.end;
    if (!region.trusted || empty()) continue;
    while (const auto found = Find(text.text(), from, region.end)) {
      Take(text.text(), *found, done, parts);
      from = found->end;
    }
  }
  if (done < text.text().size()) parts.push_back({done, text.text().size(), kNoToken});
  return parts;
}

}  // namespace baton
