// The cluster under chaos, seed after seed. A failure prints one line that replays it:
//   sim_test --seed=S --seeds=1 --requests=N [--without=KIND,...] [--blows=BITS] --until=EVENT
// `sim_test --seeds=N` runs N seeds from --seed on; `sim_test --seed=S --shrink` looks for the
// smallest case of a seed that fails.

#include <ctime>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/sim/machine_rows.h"
#include "tests/sim/sim_report.h"
#include "tests/sim/sim_shrink.h"
#include "tests/sim/transition_watch.h"

namespace baton {
namespace {

SimOptions asked;  // set by main from the command line, before any test; the seed is the first
int seeds = 250;
bool shrink = false;

/// Seeds from which on chance has had its way with every row and kind.
constexpr int kSeedsForAll = 1000;
constexpr std::uint64_t kTwiceEvery = 64;  // one run in so many is made twice

SimOptions OptionsOf(std::uint64_t seed) {
  SimOptions options = asked;
  options.seed = seed;
  return options;
}

SimReport RunOf(const SimOptions& options) { return SimCluster(options).Run(); }

SimOptions Undisturbed(std::uint64_t seed, bool wire) {
  SimOptions options = OptionsOf(seed);
  options.faults = false;
  options.wire = wire;
  return options;
}

TEST(SimTest, WithoutFaultsEveryRequestIsTheOracles) {
  for (std::uint64_t seed = asked.seed; seed < asked.seed + 20; ++seed) {
    const SimOptions options = Undisturbed(seed, true);
    const SimReport report = RunOf(options);
    ASSERT_TRUE(report.violations.empty()) << Replay(options, report);
    ASSERT_EQ(report.finished + report.cancelled + FailedOf(report), report.requests);
    ASSERT_LT(FailedOf(report), report.requests / 4) << "honest refusals are the exception";
    ASSERT_GT(report.handoffs, 0);
  }
}

// Prefill's own token must not pass for progress: a request would live on, a token an attempt.
TEST(SimTest, WithoutAWireRequestsEndAfterAFewAttempts) {
  for (std::uint64_t seed = asked.seed; seed < asked.seed + 20; ++seed) {
    const SimOptions options = Undisturbed(seed, false);
    const SimReport report = RunOf(options);
    ASSERT_TRUE(report.violations.empty()) << Replay(options, report);
    ASSERT_GT(report.failed.count("handoff_failed"), 0U);
    ASSERT_LE(report.retries.at("failed"), report.requests * RouterOptions{}.retries_max);
  }
}

TEST(SimTest, TheSameSeedGivesTheSameTrace) {
  for (std::uint64_t seed = asked.seed; seed < asked.seed + 4; ++seed) {
    EXPECT_EQ(RunOf(OptionsOf(seed)).trace_hash, RunOf(OptionsOf(seed)).trace_hash)
        << "seed " << seed;
  }
  EXPECT_NE(RunOf(OptionsOf(asked.seed)).trace_hash, RunOf(OptionsOf(asked.seed + 1)).trace_hash);
}

/// True when a violation tells of bytes where they must not be, or of a token that they changed.
bool Corrupts(const SimReport& report) {
  for (const std::string& violation : report.violations) {
    if (absl::StrContains(violation, "lent to nobody")) return true;
    if (absl::StrContains(violation, "is not the oracle's")) return true;
  }
  return false;
}

// The same seeds twice: with checked frames late writes come and are refused, every one; with puts
// that ask nobody they land in pages of others. Were it not so, this would prove nothing.
TEST(SimTest, LateWriteNeverReachesAReusedPage) {
  SimReport sum;
  int corrupted = 0;
  for (std::uint64_t seed = asked.seed; seed < asked.seed + 100; ++seed) {
    SimOptions options = OptionsOf(seed);
    const SimReport checked = RunOf(options);
    ASSERT_TRUE(checked.violations.empty()) << Replay(options, checked);
    AddReport(checked, sum);
    options.puts = true;
    corrupted += Corrupts(RunOf(options)) ? 1 : 0;
  }
  std::printf("late frames refused: %d; seeds of 100 that puts corrupt: %d\n",
              static_cast<int>(sum.inbound.stale_frames_refused), corrupted);
  EXPECT_GT(sum.inbound.stale_frames_refused, 0U);
  EXPECT_GT(corrupted, 0);
}

void ExpectEverythingTaken(const SimReport& sum) {
  for (const auto& [name, count] : sum.faults) EXPECT_GT(count, 0) << "never struck: " << name;
  const auto taken = TransitionsTaken();
  for (const char* row : kMachineRows) EXPECT_GT(taken.count(row), 0U) << "never taken: " << row;
}

TEST(SimTest, ChaosBreaksNoPromise) {
  SimReport sum;
  const std::clock_t begin = std::clock();
  const std::uint64_t end = asked.seed + static_cast<std::uint64_t>(seeds);
  for (std::uint64_t seed = asked.seed; seed < end; ++seed) {
    const SimOptions options = OptionsOf(seed);
    const SimReport report = RunOf(options);
    ASSERT_TRUE(report.violations.empty()) << Replay(options, report);
    AddReport(report, sum);
    if (seed % kTwiceEvery != 0) continue;
    ASSERT_EQ(report.trace_hash, RunOf(options).trace_hash) << "seed " << seed << " run twice";
  }
  const double cpu = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  std::printf("%s", TextOf(sum, seeds, cpu).c_str());
  EXPECT_TRUE(asked.until != 0 || sum.finished > sum.requests / 2) << "it leaves too little";
  if (seeds >= kSeedsForAll) ExpectEverythingTaken(sum);
}

void PrintRows() {
  for (const auto& [row, count] : TransitionsTaken()) {
    std::printf("%10llu  %s\n", static_cast<unsigned long long>(count), row.c_str());
  }
}

int ShrinkAsked() {
  if (RunOf(asked).violations.empty()) {
    std::printf("seed %llu does not fail\n", static_cast<unsigned long long>(asked.seed));
    return 1;
  }
  const SimOptions small = Shrink(asked);
  std::printf("%s", Replay(small, RunOf(small)).c_str());
  return 0;
}

bool ReadKinds(absl::string_view names) {
  for (absl::string_view name : absl::StrSplit(names, ',')) {
    bool known = false;
    for (std::size_t i = 0; i < kFaults; ++i) {
      if (name != kFaultNames[i]) continue;
      known = true;
      asked.without |= std::uint64_t{1} << i;
    }
    if (!known) return false;
  }
  return true;
}

bool ReadFlag(absl::string_view word) {
  const auto value = [&word](absl::string_view name, auto* out) {
    return absl::StartsWith(word, name) && absl::SimpleAtoi(word.substr(name.size()), out);
  };
  constexpr absl::string_view kWithout = "--without=";
  if (absl::StartsWith(word, kWithout)) return ReadKinds(word.substr(kWithout.size()));
  if (word == "--shrink") return shrink = true;
  return value("--seed=", &asked.seed) || value("--seeds=", &seeds) ||
         value("--requests=", &asked.requests) || value("--blows=", &asked.blows) ||
         value("--until=", &asked.until);
}

}  // namespace

int Main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (ReadFlag(argv[i])) continue;
    std::fprintf(stderr, "unknown flag %s\n", argv[i]);
    return 2;
  }
  if (shrink) return ShrinkAsked();
  const int failed = RUN_ALL_TESTS();
  if (seeds >= kSeedsForAll) PrintRows();
  return failed;
}

}  // namespace baton

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return baton::Main(argc, argv);
}
