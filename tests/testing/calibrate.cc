#include "tests/testing/calibrate.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/time.h"

namespace baton {
namespace {

constexpr std::size_t kPageBytes = 64 * 1024;
constexpr std::size_t kMemoryBytes = 64 * 1024 * 1024;  // past every cache that serves one core
constexpr std::size_t kLineWords = 16;                  // of 4 bytes: one cache line
constexpr int kRounds = 9;
constexpr int kHashes = 64;
constexpr int kLoads = 100'000;
constexpr int kArithmeticRounds = 1'000'000;
constexpr int kChains = 32;

double MedianSeconds(const std::function<void()>& work) {
  std::array<double, kRounds> seconds{};
  for (double& one : seconds) {
    const Instant start = std::chrono::steady_clock::now();
    work();
    one = ToSeconds(std::chrono::steady_clock::now() - start);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[kRounds / 2];
}

double HashRate() {
  const std::vector<std::byte> page(kPageBytes, std::byte{7});
  const double seconds = MedianSeconds([&page] {
    Sha256 hash;
    for (int i = 0; i < kHashes; ++i) hash.AddBytes(page);
    BATON_CHECK(hash.Finish().size() == 32);
  });
  return kHashes * static_cast<double>(kPageBytes) / seconds * 1e-9;
}

/// One cycle through all cache lines in random order: each load says where the next is.
std::vector<std::uint32_t> RandomCycle() {
  std::vector<std::uint32_t> order(kMemoryBytes / sizeof(std::uint32_t) / kLineWords);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  std::vector<std::uint32_t> next(kMemoryBytes / sizeof(std::uint32_t), 1);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t to = order[(i + 1) % order.size()] * kLineWords;
    next[order[i] * kLineWords] = static_cast<std::uint32_t>(to);
  }
  return next;
}

double LoadSeconds(const std::vector<std::uint32_t>& next) {
  std::uint32_t at = 0;
  const double seconds = MedianSeconds([&] {
    for (int i = 0; i < kLoads; ++i) at = next[at];
  });
  BATON_CHECK(at < next.size());
  return seconds / kLoads;
}

double ReadRate(const std::vector<std::uint32_t>& memory) {
  std::uint32_t sum = 0;
  const double seconds =
      MedianSeconds([&] { sum = std::accumulate(memory.begin(), memory.end(), sum); });
  BATON_CHECK(sum != 1);  // keeps the loop
  return static_cast<double>(kMemoryBytes) / seconds * 1e-9;
}

double ArithmeticRate() {
  std::array<float, kChains> sums{};
  const double seconds = MedianSeconds([&sums] {
    for (int round = 0; round < kArithmeticRounds; ++round) {
      for (float& sum : sums) sum = sum * 0.5F + 1.0F;
    }
  });
  BATON_CHECK(sums[0] < 3);
  return 2.0 * kChains * kArithmeticRounds / seconds * 1e-9;
}

double Difference(double a, double b) { return std::abs(a - b) / std::max(a, b); }

}  // namespace

Calibration Calibrate() {
  const std::vector<std::uint32_t> memory = RandomCycle();
  return {HashRate(), LoadSeconds(memory) * 1e9, ReadRate(memory), ArithmeticRate()};
}

double DriftBetween(const Calibration& before, const Calibration& after) {
  return std::max({Difference(before.hash_gb_per_s, after.hash_gb_per_s),
                   Difference(before.load_ns, after.load_ns),
                   Difference(before.read_gb_per_s, after.read_gb_per_s),
                   Difference(before.gflops, after.gflops)});
}

void PrintIfVoid(double drift) {
  if (drift <= kCalibrationDriftMax) return;
  std::printf("void: the machine changed by %.0f %% meanwhile (limit %.0f %%)\n", 100 * drift,
              100 * kCalibrationDriftMax);
}

std::string ToString(const Calibration& calibration) {
  return absl::StrFormat("hash %.2f GB/s, load %.0f ns, read %.1f GB/s, %.1f GFLOP/s",
                         calibration.hash_gb_per_s, calibration.load_ns, calibration.read_gb_per_s,
                         calibration.gflops);
}

}  // namespace baton
