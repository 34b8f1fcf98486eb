// The configured way to choose a pair among candidates. Round robin and random are there to be
// compared with; they obey the same filters.
#pragma once

#include <cstdint>
#include <optional>

#include "router/candidates.h"
#include "router/route.h"
#include "router/router_options.h"

namespace baton {

/// `turn` counts choices; `query.draw` is random. Nothing when no pair is among `candidates`.
std::optional<RouteChoice> ChooseByPolicy(RoutePolicy policy, const RouteQuery& query,
                                          const Candidates& candidates, std::uint64_t turn);

}  // namespace baton
