// Who may serve a request: the workers that are left when all that could not take it are gone, with
// what the route weighs. A full worker left in the set would be chosen in vain.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "router/fleet.h"
#include "router/fleet_index.h"
#include "router/route.h"
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
  int prompt_tokens = 0;                // with those generated so far
  std::span<const LinkId> avoid;        // better another, where there is one
  bool alone_allowed = false;           // decode may serve without any prefill worker
};

struct Candidates {
  CandidatesVerdict verdict = CandidatesVerdict::kSome;
  bool alone = false;  // no prefill worker is up: decode runs the prompt
  std::vector<PrefillOption> prefill;
  std::vector<DecodeOption> decode;
};

Candidates FindCandidates(const Fleet& fleet, const FleetIndex& index, const RouterOptions& options,
                          const CandidatesQuery& query, Instant now);

}  // namespace baton
