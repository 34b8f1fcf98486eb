// The UCX transport within one process, held to the contract of all transports.
#include "kvtransfer/ucx_transport.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "tests/kvtransfer/transport_conformance.h"

namespace baton {
namespace {

class UcxPair : public TransportPair {
 public:
  UcxPair(std::unique_ptr<Transport> sender, std::unique_ptr<Transport> receiver)
      : sender_(std::move(sender)), receiver_(std::move(receiver)) {}
  Transport& sender() override { return *sender_; }
  Transport& receiver() override { return *receiver_; }
  void LoseReceiver() override { receiver_.reset(); }

 private:
  std::unique_ptr<Transport> sender_;
  std::unique_ptr<Transport> receiver_;
};

template <bool kShm, bool kTcp>
std::unique_ptr<TransportPair> MakePair() {
  UcxOptions options;
  options.shm = kShm;
  options.tcp = kTcp;
  auto sender = MakeUcxTransport(options);
  auto receiver = MakeUcxTransport(options);
  EXPECT_TRUE(sender.ok() && receiver.ok()) << sender.status() << receiver.status();
  if (!sender.ok() || !receiver.ok()) return nullptr;
  return std::make_unique<UcxPair>(*std::move(sender), *std::move(receiver));
}

constexpr auto kTcp = &MakePair<false, true>;
constexpr auto kShm = &MakePair<true, false>;
constexpr auto kBoth = &MakePair<true, true>;

INSTANTIATE_TEST_SUITE_P(UcxTcp, TransportConformanceTest, testing::Values(kTcp));
INSTANTIATE_TEST_SUITE_P(UcxShm, TransportConformanceTest, testing::Values(kShm));
INSTANTIATE_TEST_SUITE_P(UcxBoth, TransportConformanceTest, testing::Values(kBoth));

/// A port of loopback, held for as long as this lives.
class TakenPort {
 public:
  TakenPort() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof(address);
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, plain, bytes), 0);
    EXPECT_EQ(getsockname(socket_, plain, &bytes), 0);
    number_ = ntohs(address.sin_port);
  }
  ~TakenPort() { close(socket_); }
  int number() const { return number_; }

 private:
  const int socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int number_ = 0;
};

// UCX itself would try for ever.
TEST(UcxPortsTest, WithoutAFreePortATransportIsRefusedAndSaysWhatToDo) {
  const TakenPort taken;
  UcxOptions options;
  options.tcp_ports = absl::StrFormat("%d-%d", taken.number(), taken.number());
  const auto refused = MakeUcxTransport(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(absl::IsUnavailable(refused.status())) << refused.status();
  EXPECT_TRUE(absl::StrContains(refused.status().message(), "transfer.tcp_ports"));
}

}  // namespace
}  // namespace baton
