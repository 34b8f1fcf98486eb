// Who may serve a request: the best of the workers that are left when all that could not take it
// are gone, with what the route weighs. A full worker left in the set would be chosen in vain.
//
// One scan a role over the whole fleet: prefill workers by queue + compute, decode workers by what
// the answer and the wire behind the best prefill worker cost. The kBest best of each are kept, and
// the kDomainBest best of each link domain, where there are several.
//
// Allocates for the largest fleet so far, then no more.
//
// Thread: one, the planner's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "router/fleet_index.h"
#include "router/fleet_match.h"
#include "router/route.h"
#include "router/route_table.h"
#include "router/router_options.h"

namespace baton {

enum class CandidatesVerdict {
  kSome,
  kNoWorker,   // nobody is up who could serve
  kFull,       // all are full: wait
  kNeverFits,  // no pool could hold the prompt and one token
};

struct CandidatesQuery {
  std::span<const std::uint64_t> keys;  // of the prompt's full pages
  std::span<const LinkId> avoid;        // better another, where there is one
  bool alone_allowed = false;           // decode may serve without any prefill worker
  bool everybody = false;               // not the best alone: for policies that score otherwise
};

struct Candidates {
  CandidatesVerdict verdict = CandidatesVerdict::kSome;
  bool alone = false;                  // no prefill worker is up: decode runs the prompt
  std::vector<PrefillOption> prefill;  // best first
  std::vector<DecodeOption> decode;
};

class CandidateFinder {
 public:
  static constexpr std::size_t kDomainBest = 2;
  /// How a prompt's pages are walked; the second is what the first is measured against.
  using Walk = std::span<const float> (FleetMatch::*)(const FleetIndex&,
                                                      std::span<const std::uint64_t>);

  explicit CandidateFinder(Walk walk = &FleetMatch::Run) : walk_(walk) {}

  /// Valid until the next call. `route.draw` and the policy play no part.
  const Candidates& Find(RouteTable& table, const FleetIndex& index, const RouterOptions& options,
                         const CandidatesQuery& query, const RouteQuery& route, Instant now);

  /// As the last call left them.
  const Candidates& found() const { return found_; }

 private:
  struct Entry {
    float score = 0;
    Slot slot = 0;
  };
  /// What one call works on.
  struct Scan {
    RouteTable& table;
    const FleetIndex& index;
    const CandidatesQuery& query;
    const RouteQuery& route;
    FleetAsk ask;
    Instant now;
  };
  using Loop = void (*)(const FleetColumns&, const FleetAsk&, std::span<const std::uint16_t>,
                        const float*, float*, float*);

  /// Scores one role and leaves its best in best_.
  void Best(const Scan& scan, Loop loop, bool decode, std::size_t count);
  void Collect(const Scan& scan, std::span<const std::uint16_t> groups, std::size_t count,
               bool with_avoided);
  static void Offer(std::vector<Entry>& best, std::size_t count, Entry entry);
  static std::size_t CountOf(const Scan& scan);
  bool Avoided(Slot slot) const;
  int HeldTokens(const Scan& scan, Slot slot) const;
  void FindPrefill(Scan scan);
  void FindDecode(Scan scan);
  void FindAlone(Scan scan, const RouterOptions& options);

  const Walk walk_;
  const FleetLoops loops_ = BestFleetLoops();
  FleetMatch match_;
  std::span<const float> depths_;
  std::vector<float> scores_;                // by slot
  std::vector<float> least_;                 // by group
  std::vector<Entry> best_;                  // best first: of all, then of domains
  std::vector<std::vector<Entry>> domains_;  // the best of each
  std::vector<Slot> avoid_;
  Candidates found_;
};

/// Whether no prefill worker is up.
bool NobodyPrefills(const RouteTable& table, Instant now);

/// Why nobody could be found, or kSome: every worker asked, without a prompt's pages.
CandidatesVerdict VerdictOf(const RouteTable& table, const RouterOptions& options,
                            int prompt_tokens, int page_tokens, bool alone_allowed, Instant now);

}  // namespace baton
