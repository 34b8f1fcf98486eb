// The cluster under chaos, seed after seed. A failure prints one line that replays it:
//   sim_test --seed=S [--requests=N]
// and `sim_test --seeds=N` runs N seeds from --seed on.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/sim/sim_cluster.h"

namespace baton {
namespace {

std::uint64_t first_seed = 1;  // set by main from the command line, before any test
int seeds = 250;
int requests = 40;

SimReport RunSeed(std::uint64_t seed, bool faults = true, bool wire = true) {
  SimOptions options;
  options.seed = seed;
  options.requests = requests;
  options.faults = faults;
  options.wire = wire;
  return SimCluster(options).Run();
}

std::string Replay(std::uint64_t seed, const SimReport& report) {
  return absl::StrCat("replay: sim_test --seed=", seed, " --seeds=1\n  ",
                      absl::StrJoin(report.violations, "\n  "));
}

int Failed(const SimReport& report) {
  int failed = 0;
  for (const auto& [code, count] : report.failed) failed += count;
  return failed;
}

TEST(SimTest, WithoutFaultsEveryRequestIsTheOracles) {
  for (std::uint64_t seed = first_seed; seed < first_seed + 20; ++seed) {
    const SimReport report = RunSeed(seed, /*faults=*/false);
    ASSERT_TRUE(report.violations.empty()) << Replay(seed, report);
    ASSERT_EQ(report.finished + report.cancelled + Failed(report), report.requests);
    ASSERT_LT(Failed(report), report.requests / 4) << "honest refusals are the exception";
    ASSERT_GT(report.handoffs, 0);
  }
}

// Prefill's own token must not pass for progress: a request would live on, a token an attempt.
TEST(SimTest, WithoutAWireRequestsEndAfterAFewAttempts) {
  for (std::uint64_t seed = first_seed; seed < first_seed + 20; ++seed) {
    const SimReport report = RunSeed(seed, /*faults=*/false, /*wire=*/false);
    ASSERT_TRUE(report.violations.empty()) << Replay(seed, report);
    ASSERT_GT(report.failed.count("handoff_failed"), 0U);
    ASSERT_LE(report.retries.at("failed"), report.requests * RouterOptions{}.retries_max);
  }
}

TEST(SimTest, TheSameSeedGivesTheSameTrace) {
  for (std::uint64_t seed = first_seed; seed < first_seed + 4; ++seed) {
    EXPECT_EQ(RunSeed(seed).trace_hash, RunSeed(seed).trace_hash) << "seed " << seed;
  }
  EXPECT_NE(RunSeed(first_seed).trace_hash, RunSeed(first_seed + 1).trace_hash);
}

void Add(const std::map<std::string, int>& counts, std::map<std::string, int>& sum) {
  for (const auto& [name, count] : counts) sum[name] += count;
}

void Add(const SimReport& report, SimReport& sum) {
  sum.requests += report.requests;
  sum.finished += report.finished;
  sum.cancelled += report.cancelled;
  sum.lost += report.lost;
  Add(report.failed, sum.failed);
  sum.tokens += report.tokens;
  Add(report.retries, sum.retries);
  sum.handoffs += report.handoffs;
  sum.faults += report.faults;
  sum.events += report.events;
  sum.simulated += report.simulated;
}

std::string Text(const std::map<std::string, int>& counts) {
  return absl::StrJoin(counts, ", ", absl::PairFormatter(" "));
}

void Print(const SimReport& sum) {
  std::printf(
      "%d requests in %d seeds: %d finished, %d cancelled, %d lost with their router, %d failed "
      "(%s)\n%d tokens, %d hand-offs, retries (%s), %d blows, %llu events, %.2f simulated hours\n",
      sum.requests, seeds, sum.finished, sum.cancelled, sum.lost, Failed(sum),
      Text(sum.failed).c_str(), sum.tokens, sum.handoffs, Text(sum.retries).c_str(), sum.faults,
      static_cast<unsigned long long>(sum.events), ToSeconds(sum.simulated) / 3600);
}

TEST(SimTest, ChaosBreaksNoPromise) {
  SimReport sum;
  const std::uint64_t end = first_seed + static_cast<std::uint64_t>(seeds);
  for (std::uint64_t seed = first_seed; seed < end; ++seed) {
    const SimReport report = RunSeed(seed);
    ASSERT_TRUE(report.violations.empty()) << Replay(seed, report);
    Add(report, sum);
  }
  Print(sum);
  EXPECT_GT(sum.finished, sum.requests / 2) << "the chaos leaves too little to check";
}

}  // namespace

void ReadFlags(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const absl::string_view word = argv[i];
    const auto value = [&word](absl::string_view name, auto* out) {
      return absl::StartsWith(word, name) && absl::SimpleAtoi(word.substr(name.size()), out);
    };
    if (!value("--seed=", &first_seed) && !value("--seeds=", &seeds) &&
        !value("--requests=", &requests)) {
      std::fprintf(stderr, "unknown flag %s\n", argv[i]);
      std::exit(2);
    }
  }
}

}  // namespace baton

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  baton::ReadFlags(argc, argv);
  return RUN_ALL_TESTS();
}
