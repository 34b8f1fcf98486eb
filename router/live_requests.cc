#include "router/live_requests.h"

namespace baton {

bool LiveRequests::Add(std::unique_ptr<RequestFlow> flow) {
  const RequestId id = flow->request().id;
  const auto [entry, added] = by_id_.try_emplace(id, std::move(flow));
  if (!added) return false;
  entry->second.arrival = arrivals_++;
  Refresh(entry->second);
  return true;
}

LiveRequest* LiveRequests::Find(const RequestId& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

void LiveRequests::Erase(LiveRequest& live) {
  const RequestId id = live.flow->request().id;
  queue_.erase(live.arrival);
  due_.erase({live.due, id});
  by_id_.erase(id);
}

void LiveRequests::Refresh(LiveRequest& live) {
  const RequestId& id = live.flow->request().id;
  live.seen = live.flow->state();
  if (live.seen == FlowState::kQueued) {
    queue_.try_emplace(live.arrival, id);
  } else {
    queue_.erase(live.arrival);
  }
  const Instant due = live.flow->due();
  if (due == live.due) return;
  due_.erase({live.due, id});
  live.due = due;
  if (due != kNever) due_.insert({due, id});
}

std::vector<RequestId> LiveRequests::Queue() const {
  std::vector<RequestId> ids;
  for (const auto& [arrival, id] : queue_) ids.push_back(id);
  return ids;
}

std::vector<RequestId> LiveRequests::All() const {
  std::vector<RequestId> ids;
  for (const auto& [id, live] : by_id_) ids.push_back(id);
  return ids;
}

std::vector<RequestId> LiveRequests::DueAt(Instant now) const {
  std::vector<RequestId> ids;
  for (const auto& [due, id] : due_) {
    if (due > now) break;
    ids.push_back(id);
  }
  return ids;
}

Instant LiveRequests::NextDue() const { return due_.empty() ? kNever : due_.begin()->first; }

}  // namespace baton
