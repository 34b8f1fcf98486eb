#include "router/fleet_loops.h"

#include "router/fleet_loops_body.h"

namespace baton {

FleetLoops PlainFleetLoops() { return kLoops; }

FleetLoops BestFleetLoops() {
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return wide ? Avx512FleetLoops() : PlainFleetLoops();
}

}  // namespace baton
