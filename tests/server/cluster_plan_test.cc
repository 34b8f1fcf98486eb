// What `baton up` will start: processes, their ports and their arguments.
#include "server/up/cluster_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace baton {
namespace {

using testing::Contains;
using testing::HasSubstr;

class ClusterPlanTest : public testing::Test {
 protected:
  ClusterPlanTest() {
    command_line_.up.prefill_workers = 1;
    command_line_.up.decode_workers = 2;
  }

  absl::StatusOr<std::vector<PlannedRole>> Plan() {
    const absl::StatusOr<LoadedConfig> loaded = LoadConfig({});
    if (!loaded.ok()) return loaded.status();
    const PortSource ports{[this](int port) { return !taken_.contains(port); },
                           [this] { return next_free_ == 0 ? 0 : next_free_++; }};
    return PlanCluster(*loaded, command_line_, ports, 0);
  }

  CommandLine command_line_;
  std::set<int> taken_;
  int next_free_ = 40'000;
};

TEST_F(ClusterPlanTest, AClusterWithoutADecodeWorkerIsRefused) {
  command_line_.up.decode_workers = 0;
  EXPECT_EQ(Plan().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ClusterPlanTest, ATakenPublicPortIsAnErrorThatNamesTheFlag) {
  taken_ = {8000};
  EXPECT_EQ(Plan().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Plan().status().message(), HasSubstr("port 8000 is taken; choose another with"));
}

TEST_F(ClusterPlanTest, NoPortLeftIsAnError) {
  taken_ = {8100};
  next_free_ = 0;
  EXPECT_EQ(Plan().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ClusterPlanTest, WorkersFollowTheRouterEachAtAPortOfItsOwn) {
  const auto roles = Plan();
  ASSERT_TRUE(roles.ok()) << roles.status();
  std::vector<std::string> names;
  std::set<int> ports;
  for (const PlannedRole& role : *roles) {
    names.push_back(role.name);
    ports.insert(role.http_port);
    EXPECT_EQ(role.taken_port, 0) << role.name;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"router", "prefill-0", "decode-0", "decode-1"}));
  EXPECT_EQ(ports, (std::set<int>{8000, 8100, 8200, 8201}));
}

TEST_F(ClusterPlanTest, AWorkerWhosePortIsTakenSaysWhichAndGoesElsewhere) {
  taken_ = {8201};
  const auto roles = Plan();
  ASSERT_TRUE(roles.ok()) << roles.status();
  const PlannedRole& second = roles->back();
  EXPECT_EQ(second.taken_port, 8201);
  EXPECT_EQ(second.http_port, 40'000);
  EXPECT_THAT(second.arguments, Contains("decode.http_port=40000"));
}

}  // namespace
}  // namespace baton
