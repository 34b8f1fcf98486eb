#include "tests/bench/kernels_bench.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "kernels/backend.h"
#include "tests/bench/kernel_cells.h"
#include "tests/bench/machine_limits.h"
#include "tests/bench/stopwatch.h"

namespace baton::bench {
namespace {

struct Options {
  std::string isa = "auto";
  int threads = 1;
  Clock clock = Clock::kWall;
};

bool Parse(int argc, char** argv, Options* options) {
  for (int i = 0; i + 1 < argc; i += 2) {
    const absl::string_view flag = argv[i];
    if (flag == "--isa") {
      options->isa = argv[i + 1];
    } else if (flag == "--clock") {
      options->clock = absl::string_view(argv[i + 1]) == "cpu" ? Clock::kCpu : Clock::kWall;
    } else if (flag != "--threads" || !absl::SimpleAtoi(argv[i + 1], &options->threads)) {
      return false;
    }
  }
  // Seconds of several processors cannot be told apart.
  const bool clock_fits = options->clock == Clock::kWall || options->threads == 1;
  return argc % 2 == 0 && options->threads >= 1 && clock_fits;
}

// Best of at least five calls and a third of a second, after one to warm up: on a shared machine
// what disturbs a call only ever makes it longer.
double SecondsACall(Clock clock, Cell& cell) {
  constexpr double kSecondsMin = 0.3;
  constexpr int kCallsMin = 5;
  if (!cell.Call(0).ok()) return 0;
  double best = std::numeric_limits<double>::infinity();
  const Stopwatch all(clock);
  for (int number = 1; number <= kCallsMin || all.Seconds() < kSecondsMin; ++number) {
    const Stopwatch one(clock);
    if (!cell.Call(number).ok()) return 0;
    best = std::min(best, one.Seconds());
  }
  return best;
}

void PrintLimits(const Options& options, const Backend& backend, const MachineLimits& limits) {
  std::printf("%s, %d thread(s): products %.0f GFLOP/s, memory read %.1f GB/s\n", backend.isa,
              options.threads, limits.gflops, limits.read_gb_per_s);
}

void PrintCell(const Cell& cell, double seconds, const MachineLimits& limits) {
  const double gflops = cell.cost().flops / seconds * 1e-9;
  const double gb_per_s = cell.cost().bytes / seconds * 1e-9;
  std::printf("%-44s %10.1f us %8.1f GFLOP/s %4.0f%% %7.2f GB/s %4.0f%%\n", cell.name().c_str(),
              seconds * 1e6, gflops, 100 * gflops / limits.gflops, gb_per_s,
              100 * gb_per_s / limits.read_gb_per_s);
}

}  // namespace

int KernelsBench(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, &options)) {
    std::fprintf(
        stderr,
        "usage: kernels [--isa auto|avx512_bf16|avx512|avx2] [--threads N] [--clock wall|cpu]\n");
    return 2;
  }
  const Backend* backend = CpuBackend(options.isa);
  if (backend == nullptr || absl::string_view(backend->name) != "cpu") {
    std::fprintf(stderr, "bench kernels: this machine cannot run isa %s; take avx2 or auto\n",
                 options.isa.c_str());
    return 1;
  }
  Stream stream(options.threads);
  const MachineLimits before = MeasureLimits(backend->isa, options.clock, stream);
  PrintLimits(options, *backend, before);
  for (const auto& make : KernelCells()) {
    const std::unique_ptr<Cell> cell = make(*backend, stream);
    const double seconds = SecondsACall(options.clock, *cell);
    if (seconds == 0) return 1;
    PrintCell(*cell, seconds, before);
  }
  PrintLimits(options, *backend, MeasureLimits(backend->isa, options.clock, stream));
  return 0;
}

}  // namespace baton::bench
