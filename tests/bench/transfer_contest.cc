#include "tests/bench/transfer_contest.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "kvtransfer/copy_crc.h"
#include "kvtransfer/transfer_selftest.h"
#include "tests/bench/handoff_rig.h"

namespace baton::bench {
namespace {

constexpr auto kRunTimeMax = std::chrono::minutes(5);
// As a hand-off cuts pages of MLA layers of 72 KiB (kvtransfer/piece_plan.h).
constexpr std::uint32_t kShmFrameBytes = 36 * 1024;
constexpr std::uint32_t kTcpFrameBytes = 3 * 72 * 1024;

Instant RunEnd() { return std::chrono::steady_clock::now() + kRunTimeMax; }

std::unique_ptr<ForkedPeer> ForkUcx(const std::string& wire, const ProbeShape& shape) {
  return std::make_unique<ForkedPeer>([=](const ForkedPeer::Tell& tell) {
    const auto transport = MakeUcxTransport(OnlyWire(wire));
    if (!transport.ok()) return 1;
    TransferProbe probe(**transport, shape);
    probe.Poison();  // touches the arena
    tell((*transport)->address());
    return probe.Serve({}, RunEnd()).ok() ? 0 : 1;
  });
}

std::unique_ptr<ForkedPeer> ForkSocket(std::size_t bytes, int rounds) {
  return std::make_unique<ForkedPeer>([=](const ForkedPeer::Tell& tell) {
    SocketStream stream;
    const auto port = stream.Listen();
    if (!port.ok()) return 1;
    tell(absl::StrFormat("%d", *port));
    if (!stream.Accept().ok()) return 1;
    for (int round = 0; round < rounds; ++round) {
      if (!stream.Take(bytes).ok()) return 1;
    }
    return 0;
  });
}

}  // namespace

std::uint32_t TransferShape::Pages() const {
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(mib) << 20) / page_bytes);
}

ProbeShape TransferShape::Probe(absl::string_view wire) const {
  const std::uint32_t best = wire == "shm" ? kShmFrameBytes : kTcpFrameBytes;
  return {Pages(), page_bytes, frame_bytes > 0 ? frame_bytes : best, Milliseconds(1)};
}

double MedianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

UcxContestant::UcxContestant(absl::string_view wire, const ProbeShape& shape)
    : wire_(wire), peer_(ForkUcx(wire_, shape)), shape_(shape) {}

absl::Status UcxContestant::Open() {
  BATON_ASSIGN_OR_RETURN(transport_, MakeUcxTransport(OnlyWire(wire_)));
  probe_ = std::make_unique<TransferProbe>(*transport_, shape_);
  probe_->Fill(1);
  BATON_RETURN_IF_ERROR(probe_->Open(peer_->Told(), RunEnd()));
  return CheckWire(probe_->Describe(), wire_);
}

absl::Status UcxContestant::Push(const std::vector<std::uint32_t>& order) {
  return probe_->Push(order, RunEnd());
}

TransferContest::TransferContest(const TransferShape& shape)
    : shape_(shape),
      bytes_(std::size_t{shape.Pages()} * shape.page_bytes),
      socket_peer_(ForkSocket(bytes_, shape.rounds + 1)),
      shm_("shm", shape.Probe("shm")),
      tcp_("tcp", shape.Probe("tcp")) {}

absl::Status TransferContest::Open() {
  StayOnProcessor(0);
  source_.assign(bytes_, std::byte{1});
  target_.assign(bytes_, std::byte{2});
  int port = 0;
  if (!absl::SimpleAtoi(socket_peer_->Told(), &port)) {
    return absl::UnavailableError("the socket's peer did not start");
  }
  BATON_RETURN_IF_ERROR(socket_.Connect(static_cast<std::uint16_t>(port)));
  BATON_RETURN_IF_ERROR(shm_.Open());
  BATON_RETURN_IF_ERROR(tcp_.Open());
  const auto copy = [this](const Order& order) { return CopyPages(order, &std::memcpy); };
  const auto copy_crc = [this](const Order& order) { return CopyPages(order, &CopyAndCrc32c); };
  contestants_ = {
      {"scattered copy", "memory", copy, {}},
      {"copy and checksum", "memory", copy_crc, {}},
      {"ucx validated", "shm", [this](const Order& order) { return shm_.Push(order); }, {}},
      {"plain socket", "tcp", [this](const Order&) { return socket_.Push(source_); }, {}},
      {"ucx validated", "tcp", [this](const Order& order) { return tcp_.Push(order); }, {}}};
  return absl::OkStatus();
}

absl::Status TransferContest::Run() {
  Order order(shape_.Pages());
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 random(7);
  for (int round = 0; round <= shape_.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (Contestant& contestant : contestants_) {
      const Instant start = std::chrono::steady_clock::now();
      BATON_RETURN_IF_ERROR(contestant.run(order));
      const double seconds = ToSeconds(std::chrono::steady_clock::now() - start);
      if (round == 0) continue;
      contestant.gigabytes_per_second.push_back(static_cast<double>(bytes_) / seconds / 1e9);
    }
  }
  return absl::OkStatus();
}

template <typename CopyPage>
absl::Status TransferContest::CopyPages(const Order& order, CopyPage copy_page) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t from = std::size_t{order[i]} * shape_.page_bytes;
    const std::size_t to = std::size_t{order[order.size() - 1 - i]} * shape_.page_bytes;
    copy_page(target_.data() + to, source_.data() + from, shape_.page_bytes);
  }
  return absl::OkStatus();
}

}  // namespace baton::bench
