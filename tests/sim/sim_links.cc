// The streams between routers and workers: in order, late, broken at one end before the other.
#include <algorithm>
#include <utility>

#include "tests/sim/sim_cluster.h"

namespace baton {

void SimCluster::Dial(int worker, int router, Duration delay) {
  events_.After(delay, [this, worker, router] {
    WorkerSlot& slot = *workers_[static_cast<std::size_t>(worker)];
    if (slot.worker == nullptr) return;
    for (const auto& [id, link] : links_) {
      if (link.worker == worker && link.router == router && !link.broken && WorkerAt(link)) return;
    }
    const LinkId id{next_link_++};
    links_[id] = {router, worker, slot.life, false, false, {}, {}, {}, {}, false};
    slot.worker->OnLinkUp(id);
  });
}

SimWorker* SimCluster::WorkerAt(const Link& link) const {
  const WorkerSlot& slot = *workers_[static_cast<std::size_t>(link.worker)];
  return slot.life == link.life ? slot.worker.get() : nullptr;
}

Duration SimCluster::LinkDelay(Instant& last) {
  Duration delay =
      random_.DurationBetween(std::chrono::microseconds(30), std::chrono::microseconds(800));
  if (chaos_ && book_.Strikes(Fault::kLinkStall, random_, link_stall_))
    delay += random_.DurationBetween(Duration::zero(), Milliseconds(2000));
  last = std::max(last, events_.now() + delay);
  return last - events_.now();
}

void SimCluster::FromWorker(LinkId id, link::WorkerMessage message) {
  const auto found = links_.find(id);
  if (found == links_.end() || found->second.broken) return;
  Link& link = found->second;
  if (message.has_cache_events()) {
    const link::CacheEvents& events = message.cache_events();
    if (events.snapshot()) link.stated.clear();
    link.stated.insert(events.stored().begin(), events.stored().end());
    for (const std::uint64_t key : events.removed()) link.stated.erase(key);
    link.tail_lost = false;
    // A snapshot that were lost would be a stream that is lost.
    if (chaos_ && !events.snapshot()) return DisturbEvents(id, link, std::move(message));
  }
  ToRouter(id, link, std::move(message));
  if (link.held_events.has_value()) ToRouter(id, link, *std::exchange(link.held_events, {}));
}

/// Cache events may be lost, come twice, or change places with what is said next.
void SimCluster::DisturbEvents(LinkId id, Link& link, link::WorkerMessage message) {
  if (book_.Strikes(Fault::kEventsLost, random_, events_lost_)) {
    link.tail_lost = true;
    return;
  }
  if (book_.Strikes(Fault::kEventsRepeated, random_, events_repeated_)) ToRouter(id, link, message);
  if (!link.held_events.has_value() &&
      book_.Strikes(Fault::kEventsSwapped, random_, events_swapped_)) {
    link.held_events = std::move(message);
    return;
  }
  ToRouter(id, link, std::move(message));
  if (link.held_events.has_value()) ToRouter(id, link, *std::exchange(link.held_events, {}));
}

void SimCluster::ToRouter(LinkId id, Link& link, link::WorkerMessage message) {
  const bool first = message.has_register_();
  RouterInput(link.router, LinkDelay(link.last_to_router),
              [this, id, first, message = std::move(message)](RouterCore& core) {
                Link& to = links_.at(id);
                if (to.broken) return;
                if (first) {
                  to.up_at_router = true;
                  core.OnLinkUp(id, message.register_(), RouterNow(to.router));
                } else {
                  core.OnMessage(id, message, RouterNow(to.router));
                }
              });
}

void SimCluster::FromRouter(RouterOutput output) {
  const auto found = links_.find(output.link);
  if (found == links_.end() || found->second.broken) return;
  Link& link = found->second;
  if (WorkerAt(link) == nullptr) return;  // its router does not know yet
  if (output.message.has_refused()) {
    // A Register of an earlier life may come late and look like the newer one; the worker dials
    // again.
    const bool restarted = link.life > 1;
    if (!restarted) violation_("a worker was refused: " + output.message.refused().message());
    return BreakLink(output.link, Duration::zero(), LinkDelay(link.last_to_worker));
  }
  events_.After(LinkDelay(link.last_to_worker),
                [this, id = output.link, message = std::move(output.message)] {
                  const Link& to = links_.at(id);
                  SimWorker* worker = to.broken ? nullptr : WorkerAt(to);
                  if (worker != nullptr) worker->OnMessage(id, message);
                });
}

void SimCluster::BreakLink(LinkId id, Duration router_notices, Duration worker_notices) {
  events_.After(router_notices, [this, id, worker_notices, router_notices] {
    Link& link = links_.at(id);
    if (link.broken) return;
    link.broken = true;
    if (link.up_at_router) {
      RouterInput(link.router, Duration::zero(),
                  [this, id, router = link.router](RouterCore& core) {
                    core.OnLinkLost(id, RouterNow(router));
                  });
    }
    events_.After(std::max(Duration::zero(), worker_notices - router_notices), [this, id] {
      const Link& lost = links_.at(id);
      SimWorker* worker = WorkerAt(lost);
      if (worker == nullptr) return;
      worker->OnLinkLost(id);
      Dial(lost.worker, lost.router,
           random_.DurationBetween(Milliseconds(100), Milliseconds(1500)));
    });
  });
}

void SimCluster::BreakLinksOf(int router, int worker, Duration router_notices,
                              Duration worker_notices) {
  for (const auto& [id, link] : links_) {
    if (link.router == router && link.worker == worker && !link.broken) {
      BreakLink(id, router_notices, worker_notices);
    }
  }
}

}  // namespace baton
