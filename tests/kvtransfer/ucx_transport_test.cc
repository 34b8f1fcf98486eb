// The UCX transport within one process, held to the contract of all transports.
#include "kvtransfer/ucx_transport.h"

#include <gtest/gtest.h>

#include <memory>

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

}  // namespace
}  // namespace baton
