#include "server/text/stop_matcher.h"

#include <deque>
#include <utility>

#include "base/check.h"

namespace baton {

StopMatcher::StopMatcher(std::vector<std::string> stops, bool include_stop)
    : stops_(std::move(stops)), include_stop_(include_stop), nodes_(1) {
  for (std::size_t i = 0; i < stops_.size(); ++i) AddStop(i);
  LinkFallbacks();
}

void StopMatcher::AddStop(std::size_t index) {
  BATON_CHECK(!stops_[index].empty());
  int node = 0;
  for (const char byte : stops_[index]) {
    const auto n = static_cast<std::size_t>(node);
    const auto it = nodes_[n].next.find(byte);
    if (it != nodes_[n].next.end()) {
      node = it->second;
      continue;
    }
    const int depth = nodes_[n].depth + 1;
    const int added = static_cast<int>(nodes_.size());
    nodes_[n].next.emplace(byte, added);
    nodes_.push_back({});
    nodes_.back().depth = depth;
    node = added;
  }
  Node& end = nodes_[static_cast<std::size_t>(node)];
  if (end.match < 0) end.match = static_cast<int>(index);
}

// Breadth first, so that a node's fallback, which is shallower, is finished before it.
void StopMatcher::LinkFallbacks() {
  std::deque<int> queue = {0};
  while (!queue.empty()) {
    const auto parent = static_cast<std::size_t>(queue.front());
    queue.pop_front();
    for (const auto& [byte, child] : nodes_[parent].next) {
      Node& node = nodes_[static_cast<std::size_t>(child)];
      node.fallback = parent == 0 ? 0 : Step(nodes_[parent].fallback, byte);
      if (node.match < 0) node.match = nodes_[static_cast<std::size_t>(node.fallback)].match;
      queue.push_back(child);
    }
  }
}

int StopMatcher::Step(int node, char byte) const {
  for (;;) {
    const Node& here = nodes_[static_cast<std::size_t>(node)];
    const auto it = here.next.find(byte);
    if (it != here.next.end()) return it->second;
    if (node == 0) return 0;
    node = here.fallback;
  }
}

std::optional<std::size_t> StopMatcher::Append(absl::string_view bytes, std::string& out) {
  BATON_CHECK(!found_);
  for (const char byte : bytes) {
    held_ += byte;
    at_ = Step(at_, byte);
    const Node& node = nodes_[static_cast<std::size_t>(at_)];
    if (node.match >= 0) {
      const auto match = static_cast<std::size_t>(node.match);
      // A match that is a suffix of a longer candidate leaves that candidate's beginning as text.
      const std::size_t keep = held_.size() - (include_stop_ ? 0 : stops_[match].size());
      out.append(held_, 0, keep);
      held_.clear();
      found_ = true;
      return match;
    }
    const std::size_t passes = held_.size() - static_cast<std::size_t>(node.depth);
    out.append(held_, 0, passes);
    held_.erase(0, passes);
  }
  return std::nullopt;
}

void StopMatcher::Flush(std::string& out) {
  out += held_;
  held_.clear();
  at_ = 0;
}

}  // namespace baton
