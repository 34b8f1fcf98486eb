#include "proto/worker_outbox.h"

#include <algorithm>
#include <utility>

namespace baton {

WorkerOutbox::WorkerOutbox(link::Register facts, Duration report_every)
    : facts_(std::move(facts)), report_every_(report_every) {}

void WorkerOutbox::OnLinkUp(LinkId link) {
  links_[link] = Link{};
  link::WorkerMessage message;
  *message.mutable_register_() = facts_;
  Queue(link, std::move(message));
}

void WorkerOutbox::OnLinkLost(LinkId link) {
  links_.erase(link);
  std::erase_if(queue_, [link](const WorkerOutput& output) { return output.link == link; });
}

void WorkerOutbox::OnWelcome(LinkId link, Duration heartbeat) {
  const auto found = links_.find(link);
  if (found != links_.end() && heartbeat > Duration::zero()) found->second.heartbeat = heartbeat;
}

void WorkerOutbox::OnResync(LinkId link) {
  const auto found = links_.find(link);
  if (found != links_.end()) found->second.wants_snapshot = true;
}

void WorkerOutbox::OnJob(LinkId link) {
  const auto found = links_.find(link);
  if (found != links_.end()) ++found->second.jobs;
}

void WorkerOutbox::Send(LinkId link, link::WorkerMessage message) {
  if (IsUp(link)) Queue(link, std::move(message));
}

void WorkerOutbox::SendExpected(LinkId knows, const link::Expected& expected) {
  for (const auto& [id, link] : links_) {
    if (id == knows) continue;
    link::WorkerMessage message;
    *message.mutable_expected() = expected;
    Queue(id, std::move(message));
  }
}

void WorkerOutbox::SendEvents(const link::CacheEvents& events) {
  for (const auto& [id, link] : links_) {
    if (link.wants_snapshot) continue;
    link::WorkerMessage message;
    *message.mutable_cache_events() = events;
    Queue(id, std::move(message));
  }
}

bool WorkerOutbox::WantsSnapshot() const {
  return std::any_of(links_.begin(), links_.end(),
                     [](const auto& entry) { return entry.second.wants_snapshot; });
}

void WorkerOutbox::SendSnapshot(const link::CacheEvents& snapshot) {
  for (auto& [id, link] : links_) {
    if (!std::exchange(link.wants_snapshot, false)) continue;
    link::WorkerMessage message;
    *message.mutable_cache_events() = snapshot;
    Queue(id, std::move(message));
  }
}

Instant WorkerOutbox::StateLoad(link::Load load, Instant now) {
  if (links_.empty()) return kNever;
  std::string said = load.SerializeAsString();
  Duration heartbeat = links_.begin()->second.heartbeat;
  bool fresh_link = false;
  for (const auto& [id, link] : links_) {
    heartbeat = std::min(heartbeat, link.heartbeat);
    fresh_link = fresh_link || link.wants_load;
  }
  const bool changed = said != stated_;
  const Instant due = stated_at_ + (changed ? std::min(report_every_, heartbeat) : heartbeat);
  const bool leaves = load.draining() && !draining_stated_;
  if (!fresh_link && !leaves && now < due) return due;

  load.set_number(next_load_++);
  for (auto& [id, link] : links_) {
    link.wants_load = false;
    link::WorkerMessage message;
    *message.mutable_load() = load;
    message.mutable_load()->set_jobs_seen(link.jobs);
    Queue(id, std::move(message));
  }
  draining_stated_ = load.draining();
  stated_ = std::move(said);
  stated_at_ = now;
  return now + heartbeat;
}

std::vector<WorkerOutput> WorkerOutbox::Take() { return std::exchange(queue_, {}); }

void WorkerOutbox::Queue(LinkId link, link::WorkerMessage message) {
  queue_.push_back({link, std::move(message)});
}

}  // namespace baton
