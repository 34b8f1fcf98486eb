// A text together with which of its bytes a template wrote and which came with the request.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/text/text_run.h"

namespace baton {

class MarkedText {
 public:
  /// Bytes up to `end`, from where the region before ended.
  struct Region {
    std::size_t end = 0;
    bool trusted = false;
  };

  MarkedText() = default;
  MarkedText(absl::string_view text, bool trusted) { Append(text, trusted); }
  explicit MarkedText(std::span<const TextRun> runs) {
    for (const TextRun& run : runs) Append(run.text, run.trusted);
  }

  /// Neighbours of one kind become one region.
  void Append(absl::string_view text, bool trusted);

  /// As Append, with the marks that bytes [begin, end) of `other` carry.
  void AppendFrom(const MarkedText& other, std::size_t begin, std::size_t end);

  /// True when all of bytes [begin, end) is trusted.
  bool IsTrusted(std::size_t begin, std::size_t end) const;

  absl::string_view text() const { return text_; }
  const std::vector<Region>& regions() const { return regions_; }

 private:
  std::size_t RegionAt(std::size_t at) const;

  std::string text_;
  std::vector<Region> regions_;  // in order; the last ends where the text ends
};

}  // namespace baton
