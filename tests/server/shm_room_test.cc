#include "server/up/shm_room.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

TEST(ShmRoomTest, AClusterThatWouldOutgrowItIsRefusedWithBothWaysOut) {
  const absl::Status status = CheckShmRoom(4, 64 * kMiB);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), testing::HasSubstr("100 MiB of /dev/shm, and 64 MiB"));
  EXPECT_THAT(status.message(), testing::HasSubstr("--shm-size"));
  EXPECT_THAT(status.message(), testing::HasSubstr("transfer.transports=[tcp]"));
}

TEST(ShmRoomTest, OnePairFitsWhereDockerLeavesSixtyFourMegabytes) {
  EXPECT_TRUE(CheckShmRoom(1, 64 * kMiB).ok());
  EXPECT_TRUE(CheckShmRoom(4, 100 * kMiB).ok());
  EXPECT_TRUE(CheckShmRoom(0, 0).ok());
}

}  // namespace
}  // namespace baton
