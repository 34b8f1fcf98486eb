#include "tests/bench/machine_limits.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "tests/bench/burn.h"

namespace baton::bench {
namespace {

constexpr int kRepeats = 20;
constexpr int kFmaRounds = 200'000;
// Past any last-level cache of the machines in use.
constexpr std::int64_t kReadFloats = std::int64_t{64} << 20;

double Burn(absl::string_view isa) {
  if (isa == "avx512_bf16") return BurnPairsAvx512Bf16(kFmaRounds);
  return isa == "avx512" ? BurnFmaAvx512(kFmaRounds) : BurnFmaAvx2(kFmaRounds);
}

double ProductRate(absl::string_view isa, Clock clock, Stream& stream) {
  double best = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const Stopwatch watch(clock);
    std::atomic<double> operations{0};
    stream.ForEach(stream.threads(), [&](int, int) {
      const double mine = Burn(isa);
      // Relaxed: the region's end orders it.
      operations.fetch_add(mine, std::memory_order_relaxed);
    });
    best = std::max(best, operations.load(std::memory_order_relaxed) / watch.Seconds() * 1e-9);
  }
  return best;
}

double ReadRate(Clock clock, Stream& stream) {
  const std::unique_ptr<float, void (*)(void*)> memory(
      static_cast<float*>(std::aligned_alloc(64, kReadFloats * sizeof(float))), std::free);
  float* floats = memory.get();
  std::fill(floats, floats + kReadFloats, 1.0F);
  double best = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const Stopwatch watch(clock);
    const std::int64_t share = kReadFloats / stream.threads() / 64 * 64;
    std::atomic<float> sum{0};
    stream.ForEach(stream.threads(), [&](int, int part) {
      sum.fetch_add(ReadAllAvx2(floats + part * share, share), std::memory_order_relaxed);
    });
    const double bytes = static_cast<double>(share) * stream.threads() * sizeof(float);
    if (sum.load(std::memory_order_relaxed) > 0) {
      best = std::max(best, bytes / watch.Seconds() * 1e-9);
    }
  }
  return best;
}

}  // namespace

MachineLimits MeasureLimits(absl::string_view isa, Clock clock, Stream& stream) {
  return {.gflops = ProductRate(isa, clock, stream), .read_gb_per_s = ReadRate(clock, stream)};
}

}  // namespace baton::bench
