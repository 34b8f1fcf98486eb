// The requests that have not ended: by id, by arrival where they wait for a pair, and by when
// something is due. Ordered containers throughout, so that equal calls give equal rounds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "router/request_flow.h"

namespace baton {

/// A flow with what the core remembers beside it.
struct LiveRequest {
  explicit LiveRequest(std::unique_ptr<RequestFlow> flow_in) : flow(std::move(flow_in)) {}

  std::unique_ptr<RequestFlow> flow;
  std::uint64_t arrival = 0;
  FlowState seen = FlowState::kQueued;  // at the last Refresh
  std::vector<std::uint64_t> keys;      // low halves, of the full pages of prompt + generated
  std::size_t keyed_generated = 0;      // how many generated tokens `keys` covers
  std::vector<LinkId> charged;          // workers whose load this attempt counts in
  Instant due = kNever;                 // as filed
};

class LiveRequests {
 public:
  /// False when the id is live already.
  bool Add(std::unique_ptr<RequestFlow> flow);
  /// Null when it is not live. Valid until its Erase.
  LiveRequest* Find(const RequestId& id);
  void Erase(LiveRequest& live);

  /// Files the request anew after its flow changed.
  void Refresh(LiveRequest& live);

  std::size_t size() const { return by_id_.size(); }
  std::size_t queued() const { return queue_.size(); }

  /// In order of arrival / of id. The ids are copies: the callee may end requests.
  std::vector<RequestId> Queue() const;
  std::vector<RequestId> All() const;
  std::vector<RequestId> DueAt(Instant now) const;
  Instant NextDue() const;

 private:
  std::map<RequestId, LiveRequest> by_id_;
  std::map<std::uint64_t, RequestId> queue_;  // by arrival
  std::set<std::pair<Instant, RequestId>> due_;
  std::uint64_t arrivals_ = 0;
};

}  // namespace baton
