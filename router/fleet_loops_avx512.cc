// The loops of a decision for machines with AVX-512: 16 workers an instruction.
#include "router/fleet_loops_body.h"

namespace baton {

FleetLoops Avx512FleetLoops() { return kLoops; }

}  // namespace baton
