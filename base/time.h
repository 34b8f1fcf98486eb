// Time as decisions see it: values that a caller passes in. Only the shells of a role (server/)
// read the clock; everything below takes `now`, so that a simulation can run it in virtual time.
#pragma once

#include <chrono>
#include <cstdint>

namespace baton {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::steady_clock::time_point;

/// "Nothing is due": a Tick() that returns this waits for input alone.
inline constexpr Instant kNever = Instant::max();

constexpr Duration Milliseconds(std::int64_t count) { return std::chrono::milliseconds(count); }

constexpr double ToSeconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}
constexpr double ToMilliseconds(Duration duration) { return 1e3 * ToSeconds(duration); }

}  // namespace baton
