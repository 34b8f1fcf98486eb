#include "server/text/marked_text.h"

#include <algorithm>

namespace baton {

void MarkedText::Append(absl::string_view text, bool trusted) {
  if (text.empty()) return;
  text_.append(text.data(), text.size());
  if (regions_.empty() || regions_.back().trusted != trusted) regions_.push_back({0, trusted});
  regions_.back().end = text_.size();
}

void MarkedText::AppendFrom(const MarkedText& other, std::size_t begin, std::size_t end) {
  std::size_t region = other.RegionAt(begin);
  while (begin < end) {
    const std::size_t stop = std::min(end, other.regions_[region].end);
    Append(other.text().substr(begin, stop - begin), other.regions_[region].trusted);
    begin = stop;
    ++region;
  }
}

std::size_t MarkedText::RegionAt(std::size_t at) const {
  const auto found =
      std::upper_bound(regions_.begin(), regions_.end(), at,
                       [](std::size_t place, const Region& region) { return place < region.end; });
  return static_cast<std::size_t>(found - regions_.begin());
}

bool MarkedText::IsTrusted(std::size_t begin, std::size_t end) const {
  if (begin == end) return true;
  const Region& region = regions_[RegionAt(begin)];
  return region.trusted && region.end >= end;  // neighbours of one kind are one region
}

}  // namespace baton
