// The workers as this router sees them: what each said when it registered, what it last said of its
// load, and what this router sent it since.
//
//   registered --> ready <--> suspect (silent for two heartbeats)
//                    |  \         |
//                 draining --> gone (stream lost, silent for worker_ttl, newer incarnation)
//
// All workers of a fleet have one fingerprint: pages may go between any two. One that differs is
// refused by the field's name.
//
// Thread: one, the router core's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "base/ids.h"
#include "base/time.h"
#include "proto/link.pb.h"
#include "router/router_options.h"
#include "scheduling/step_time.h"

namespace baton {

enum class WorkerState { kReady, kDraining, kSuspect };

/// Work that this router gave a worker and that the worker's load statement may not hold yet.
struct SentWork {
  double prompt_tokens = 0;  // to compute there; 0 at a decode worker that is sent the pages
  double context_tokens = 0;
  double stored_tokens = 0;  // new there: computed, or sent
  std::uint32_t pages = 0;
};

struct Worker {
  LinkId link{};
  link::Register facts;
  link::Load load;  // the last; zeros before the first
  Instant load_at{};
  Instant heard_at{};
  bool resync_asked = false;
  std::set<LinkId> peers;  // ever paired with on this link: who must hear of its loss

  struct Sent {
    SentWork work;
    Instant at{};
    std::uint64_t number = 0;  // of the jobs that were sent there, from 1
    bool accepted = false;
  };
  std::map<RequestId, Sent> sent;  // not yet part of a load statement
  std::uint64_t jobs_sent = 0;
  double stored_tokens = 0;  // newly stored, decaying
  Instant stored_at{};
};

class Fleet {
 public:
  static constexpr std::size_t kWorkersMax = 16384;

  explicit Fleet(Duration heartbeat, ExpectedModel expected = {});

  /// Whether a worker may join. Errors: InvalidArgument, naming what is missing or differs;
  /// ResourceExhausted at kWorkersMax.
  absl::Status Check(const link::Register& facts) const;

  /// `facts` passed Check.
  Worker& Add(LinkId link, const link::Register& facts, Instant now);
  void Remove(LinkId link);

  Worker* Find(LinkId link);
  const Worker* Find(LinkId link) const;
  /// The link on which `worker_id` is registered.
  std::optional<LinkId> LinkOf(const std::string& worker_id) const;
  const std::map<LinkId, Worker>& workers() const { return workers_; }
  bool empty() const { return workers_.empty(); }

  WorkerState StateOf(const Worker& worker, Instant now) const;

  void OnLoad(Worker& worker, const link::Load& load, Instant now);
  void OnSent(Worker& worker, const RequestId& request, const SentWork& work, Instant now);
  void OnAccepted(LinkId link, const RequestId& request);
  void OnEnded(LinkId link, const RequestId& request);

  /// What a step costs there, as far as it can be told from the others of its role: the worker's
  /// own coefficients, drawn towards their mean where it differs by no more than steps scatter.
  StepCost CostOf(const Worker& worker) const;

 private:
  /// Of the workers of one role that stated coefficients.
  struct RoleCosts {
    StepCost sum;
    double scatter_sum = 0;
    int count = 0;
  };

  absl::Status CheckModel(const link::Register& facts) const;
  void Count(const Worker& worker, int sign);

  const Duration heartbeat_;
  const ExpectedModel expected_;
  std::map<LinkId, Worker> workers_;
  RoleCosts prefill_costs_;
  RoleCosts decode_costs_;
};

/// The coefficients that the worker stated, or a prior until it did.
StepCost StepCostOf(const Worker& worker);

/// When it has computed what it stated and what was sent since, at `cost` a step.
Instant BusyUntil(const Worker& worker, const StepCost& cost, double chunk_tokens);

/// Sequences and pages in use or promised, with what was sent and is not stated yet.
double RunningSequences(const Worker& worker);
/// The context of its sequences.
double RunningTokens(const Worker& worker);
std::uint32_t RoomPages(const Worker& worker);

/// Newly stored tokens, decaying over ten minutes.
double StoredTokens(const Worker& worker, Instant now);

}  // namespace baton
