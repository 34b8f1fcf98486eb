#include "proto/job_book.h"

#include "base/check.h"

namespace baton {

bool JobBook::IsNew(const RequestId& request, std::uint32_t attempt) const {
  const auto entry = entries_.find(request);
  return entry == entries_.end() || entry->second.attempt < attempt;
}

std::optional<SequenceId> JobBook::Live(const RequestId& request, std::uint32_t attempt) const {
  const auto entry = entries_.find(request);
  if (entry == entries_.end() || !entry->second.live) return std::nullopt;
  if (attempt != 0 && entry->second.attempt != attempt) return std::nullopt;
  return entry->second.sequence;
}

void JobBook::Begin(const RequestId& request, std::uint32_t attempt, SequenceId sequence) {
  Entry& entry = entries_[request];
  BATON_CHECK(!entry.live && entry.attempt < attempt);
  entry = {.attempt = attempt, .sequence = sequence, .live = true};
}

void JobBook::End(const RequestId& request, SequenceId sequence) {
  const auto entry = entries_.find(request);
  if (entry == entries_.end() || entry->second.sequence != sequence || !entry->second.live) return;
  entry->second.live = false;
  ended_.push_back(request);
  while (ended_.size() > kEndedMax) {
    // A request can stand here more than once, one time for each attempt that ended.
    const auto oldest = entries_.find(ended_.front());
    if (oldest != entries_.end() && !oldest->second.live) entries_.erase(oldest);
    ended_.pop_front();
  }
}

}  // namespace baton
