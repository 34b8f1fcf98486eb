// The configured way to choose a pair among candidates. All but the default are there to be
// compared with; they obey the same filters.
#pragma once

#include <cstdint>
#include <optional>

#include "router/candidates.h"
#include "router/route.h"
#include "router/router_options.h"

namespace baton {

class PolicyChooser {
 public:
  /// `turn` counts choices; `query.draw` is random. Nothing when no pair is among `candidates`.
  /// Every policy but kPredictedTtft wants everybody among them.
  std::optional<RouteChoice> Choose(RoutePolicy policy, const RouteQuery& query,
                                    const Candidates& candidates, std::uint64_t turn);

 private:
  RouteChooser by_cost_;
};

}  // namespace baton
