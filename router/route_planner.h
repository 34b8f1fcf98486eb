// Where each request goes: the fleet, the index of its pages, the columns that decisions scan and
// what was learnt of the wire, kept in step with each other. Hears workers and charges them for
// what they were sent; follows no request.
//
// Shared by the router that serves and the simulator that replays traces.
//
// Pure. Thread: one, the router core's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/ids.h"
#include "base/time.h"
#include "proto/link.pb.h"
#include "router/candidates.h"
#include "router/fleet.h"
#include "router/fleet_index.h"
#include "router/link_domains.h"
#include "router/route.h"
#include "router/route_policy.h"
#include "router/route_table.h"
#include "router/router_options.h"
#include "router/wire_cost.h"

namespace baton {

/// One request that wants a pair.
struct RouteAsk {
  std::span<const std::uint64_t> keys;  // of its full pages
  int prompt_tokens = 1;                // with those generated so far
  int output_tokens = 1;                // expected
  std::span<const LinkId> avoid;        // better others, where there are any
  bool alone_allowed = false;           // decode may serve without any prefill worker
  std::uint64_t draw = 0;               // random
  std::uint64_t turn = 0;               // choices so far
};

struct RoutePlan {
  CandidatesVerdict verdict = CandidatesVerdict::kNoWorker;
  bool alone = false;                 // no prefill worker is up
  std::optional<RouteChoice> choice;  // with kSome
};

class RoutePlanner {
 public:
  explicit RoutePlanner(const RouterOptions& options);

  const Fleet& fleet() const { return fleet_; }
  const FleetIndex& index() const { return index_; }
  const RouteTable& table() const { return table_; }

  /// `facts` passed fleet().Check. False when the index has no slot left. A fleet's first worker
  /// sets the page.
  bool Join(LinkId link, const link::Register& facts, Instant now);
  void Leave(LinkId link);

  // What workers say; unknown links are ignored.
  void OnHeard(LinkId link, Instant now);
  void OnLoad(LinkId link, const link::Load& load, Instant now);
  EventsVerdict OnCacheEvents(LinkId link, const link::CacheEvents& events, Instant now);
  void OnExpected(LinkId link, const link::Expected& expected, Instant now);
  void OnAccepted(LinkId link, const RequestId& request);
  void OnReport(LinkId prefill, LinkId decode, const link::HandoffReport& report);

  /// What the cost is computed from, beside the workers. Not without a worker.
  RouteQuery QueryOf(const RouteAsk& ask) const;
  /// The pair for this request, by the configured policy. Changes nothing that a later plan sees.
  RoutePlan Plan(const RouteAsk& ask, Instant now);
  /// What the last plan chose among, best first.
  const Candidates& candidates() const { return finder_.found(); }

  /// Whether a prompt of one token would find a pair.
  CandidatesVerdict Verdict(bool alone_allowed, Instant now) const;

  /// `request` goes to the pair: its work and pages count until the workers' statements hold them.
  void Charge(const RouteChoice& choice, const RequestId& request,
              std::span<const std::uint64_t> keys, Instant now);
  /// It no longer runs there. `forget_expected`: its pages will not come.
  void Settle(LinkId link, const RequestId& request, std::span<const std::uint64_t> keys,
              bool forget_expected);
  void SetResyncAsked(LinkId link, bool asked);

  /// Upkeep in bounded pieces; returns when to call again.
  Instant Tick(Instant now);

  int page_tokens() const;  // every worker's; there is one

 private:
  void ChargeOne(LinkId link, const RequestId& request, const SentWork& work,
                 std::span<const std::uint64_t> keys, Instant until, Instant now);
  void Refresh(const Worker& worker, Instant now);
  Instant ReadyUntil(const Worker& worker) const;

  const RouterOptions options_;
  Fleet fleet_;
  FleetIndex index_;
  LinkDomains domains_;
  RouteTable table_;
  CandidateFinder finder_;
  PolicyChooser chooser_;
  WireCost wire_;
  Instant forget_at_{};
  Instant heard_{};  // the last `now`
};

}  // namespace baton
