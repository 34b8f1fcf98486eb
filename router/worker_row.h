// A worker's row in the route's table, out of what it said and what it was sent.
#pragma once

#include "router/fleet.h"
#include "router/route_table.h"

namespace baton {

/// All but the domain and until when it is a candidate. `chunk_tokens`: how a forecast cuts
/// prompts.
RouteRow RowOf(const Worker& worker, const StepCost& cost, double chunk_tokens);

}  // namespace baton
