#include "kvtransfer/transfer_selftest.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TransferSelftestOptions Over(bool shm, bool tcp) {
  TransferSelftestOptions options;
  options.ucx.shm = shm;
  options.ucx.tcp = tcp;
  options.round_trips = 20;
  return options;
}

TEST(TransferSelftestTest, PagesReturnUnchangedOverSharedMemory) {
  const auto report = RunTransferSelftest(Over(true, true));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->peer.wire, "shm");
  EXPECT_EQ(report->bytes, 64u * 72 * 1024);
  EXPECT_GT(report->gigabytes_per_second, 0);
  EXPECT_GT(report->round_trip.count(), 0);
}

TEST(TransferSelftestTest, PagesReturnUnchangedOverTcp) {
  const auto report = RunTransferSelftest(Over(false, true));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->peer.wire, "tcp");
}

TEST(TransferSelftestTest, FallingBackToTcpIsRefusedWhereSharedMemoryIsRequired) {
  TransferSelftestOptions options = Over(false, true);
  options.require_transport = "shm";
  const auto report = RunTransferSelftest(options);
  EXPECT_EQ(report.status().code(), absl::StatusCode::kFailedPrecondition) << report.status();
}

TEST(TransferSelftestTest, PiecesThatDoNotDividePagesReturnToo) {
  TransferSelftestOptions options = Over(true, false);
  options.shape = {17, 8 * 1237, 1000, {}};
  const auto report = RunTransferSelftest(options);
  EXPECT_TRUE(report.ok()) << report.status();
}

}  // namespace
}  // namespace baton
