// Seconds since it was made: of the wall, or of this process's processors. On a machine that others
// use too, only the second says what a call costs; with several threads, only the first.
#pragma once

#include <cstdint>
#include <ctime>

namespace baton::bench {

enum class Clock : std::uint8_t { kWall, kCpu };

class Stopwatch {
 public:
  explicit Stopwatch(Clock clock) : clock_(clock), start_(Now()) {}

  double Seconds() const { return Now() - start_; }

 private:
  double Now() const {
    timespec now{};
    clock_gettime(clock_ == Clock::kCpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }

  const Clock clock_;
  const double start_;
};

}  // namespace baton::bench
