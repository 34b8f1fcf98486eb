// What a worker has to say to its routers: the queue of messages, who is connected, and when the
// load is next stated. Jobs are answered to the link that brought them; load and cache events go to
// all.
//
// Thread: confined to the engine thread. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "proto/link.pb.h"
#include "proto/worker_output.h"

namespace baton {

class WorkerOutbox {
 public:
  /// A changed load is stated `report_every` after the last statement, not sooner.
  WorkerOutbox(link::Register facts, Duration report_every);

  /// Queues Register; load and a snapshot of the cache follow.
  void OnLinkUp(LinkId link);
  /// Drops what was queued for it.
  void OnLinkLost(LinkId link);
  void OnWelcome(LinkId link, Duration heartbeat);
  void OnResync(LinkId link);

  /// One more job came on it that the next load statement holds.
  void OnJob(LinkId link);

  bool IsUp(LinkId link) const { return links_.contains(link); }
  std::size_t num_links() const { return links_.size(); }

  /// Dropped when the link is gone.
  void Send(LinkId link, link::WorkerMessage message);

  /// To every link but the one whose router knows.
  void SendExpected(LinkId knows, const link::Expected& expected);

  /// A change of the cache, to every link that has a snapshot already.
  void SendEvents(const link::CacheEvents& events);
  bool WantsSnapshot() const;
  /// All there is, after SendEvents() of what came before it, to the links that want it.
  void SendSnapshot(const link::CacheEvents& snapshot);

  /// States `load` (its number is set here) where that is due; at once that the worker leaves.
  /// Returns when to call again.
  Instant StateLoad(link::Load load, Instant now);

  std::vector<WorkerOutput> Take();

 private:
  struct Link {
    bool wants_snapshot = true;
    bool wants_load = true;
    std::uint64_t jobs = 0;
    Duration heartbeat = std::chrono::seconds(5);  // until Welcome says otherwise
  };

  void Queue(LinkId link, link::WorkerMessage message);

  const link::Register facts_;
  const Duration report_every_;
  std::map<LinkId, Link> links_;
  std::vector<WorkerOutput> queue_;
  std::string stated_;  // the load last stated, without its number
  bool draining_stated_ = false;
  std::uint64_t next_load_ = 1;
  Instant stated_at_{};
};

}  // namespace baton
