// Replays: the bars of docs/routing.md on recorded traffic, or on the generated stand-in.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/replay/trace_cluster.h"
#include "tests/replay/trace_file.h"
#include "tests/replay/trace_report.h"

namespace baton {
namespace {

class ReplayTest : public ::testing::Test {
 protected:
  static const ConversationTrace& Conversation() {
    static const ConversationTrace trace = [] {
      absl::StatusOr<ConversationTrace> loaded = LoadConversationTrace();
      EXPECT_TRUE(loaded.ok()) << loaded.status();
      return loaded.ok() ? *std::move(loaded) : ConversationTrace{};
    }();
    return trace;
  }
  static const Trace& Raw() { return Conversation().requests; }

  static TraceFigures Replay(const char* name, const TraceOptions& options, const Trace& trace) {
    const TraceFigures figures = FiguresOf(TraceCluster(options, trace).Run());
    std::printf("%-28s %s\n", name, WriteJson(JsonValue(JsonOf(figures))).c_str());
    EXPECT_EQ(figures.lost, 0U);
    return figures;
  }

  static TraceOptions By(RoutePolicy policy) {
    TraceOptions options;
    options.router.policy = policy;
    return options;
  }

  static double ImbalanceBar() { return Bar(1.2, 1.1); }
  /// The bar of the recorded trace, or of the generated one.
  static double Bar(double recorded, double generated) {
    return Conversation().recorded ? recorded : generated;
  }
};

TEST_F(ReplayTest, TheForecastBeatsRoundRobinAndKeepsTheLoadEven) {
  const TraceFigures turns = Replay("round robin", By(RoutePolicy::kRoundRobin), Raw());
  const TraceFigures cost = Replay("predicted_ttft", TraceOptions(), Raw());
  EXPECT_GE(cost.hit, Bar(0.32, 0.30));
  EXPECT_LE(cost.imbalance, ImbalanceBar());
  EXPECT_LE(cost.ttft_mean_s, Bar(0.76, 0.90));
  EXPECT_LT(cost.ttft_mean_s, 0.7 * turns.ttft_mean_s);
}

TEST_F(ReplayTest, TheLongestMatchFailsTheImbalanceBar) {
  EXPECT_GT(Replay("longest match", By(RoutePolicy::kLongestMatch), Raw()).imbalance,
            ImbalanceBar());
}

TEST_F(ReplayTest, FourRoutersThatShareNothingRouteAsWellAsOne) {
  const Trace spread = SpreadTicks(Raw(), 1);
  const TraceFigures one = Replay("spread", TraceOptions(), spread);
  EXPECT_GE(one.hit, Bar(0.33, 0.34));
  EXPECT_LE(one.imbalance, ImbalanceBar());
  EXPECT_LE(one.ttft_mean_s, Bar(0.70, 0.72));
  TraceOptions options;
  options.routers = 4;
  EXPECT_LE(Replay("spread, four routers", options, spread).ttft_mean_s, 1.05 * one.ttft_mean_s);
}

TEST_F(ReplayTest, EqualOptionsGiveEqualBytes) {
  TraceOptions options;
  options.decode = 2;
  options.noise = 0.1;
  const Trace some(Raw().begin(), Raw().begin() + 1000);
  const std::string csv = CsvOf(TraceCluster(options, some).Run());
  EXPECT_EQ(csv, CsvOf(TraceCluster(options, some).Run()));
  options.seed = 2;
  EXPECT_NE(csv, CsvOf(TraceCluster(options, some).Run()));
}

}  // namespace
}  // namespace baton
