// The roofline's two inputs: one definition for benches, profiles and regression tests.
#pragma once

namespace baton {

/// Bytes that must move and operations that must be done, at best, from real lengths and routing.
struct Cost {
  double bytes = 0;
  double flops = 0;
};

}  // namespace baton
