// Finds stop strings in a stream of bytes, across token borders. An Aho-Corasick automaton: the
// longest suffix of the stream that could still become a stop string is held back, the rest goes
// out at once.
//
// Which match counts: the one that ends first, and of those that end together the longest; the
// text is cut where that one begins. Pure.
// Source: Aho and Corasick, "Efficient String Matching", CACM 18(6), 1975.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace baton {

class StopMatcher {
 public:
  /// `stops` are not empty strings; none at all is fine, everything then passes through.
  StopMatcher(std::vector<std::string> stops, bool include_stop);

  /// Appends to `out` what of the stream may go out now. Returns the index of the stop string that
  /// has been found; the stream is then over, and further calls are a bug.
  std::optional<std::size_t> Append(absl::string_view bytes, std::string& out);

  /// The stream has ended without a stop string: appends what was held back.
  void Flush(std::string& out);

  const std::string& stop(std::size_t index) const { return stops_[index]; }

 private:
  struct Node {
    std::map<char, int> next;
    int fallback = 0;
    int depth = 0;
    int match = -1;  // index of the longest stop string that ends here
  };

  void AddStop(std::size_t index);
  void LinkFallbacks();
  int Step(int node, char byte) const;

  const std::vector<std::string> stops_;
  const bool include_stop_;
  std::vector<Node> nodes_;  // 0 is the root
  int at_ = 0;
  std::string held_;  // the last nodes_[at_].depth bytes of the stream
  bool found_ = false;
};

}  // namespace baton
