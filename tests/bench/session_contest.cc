#include "tests/bench/session_contest.h"

#include "base/status.h"

namespace baton::bench {
namespace {

constexpr int kSmallHandoffs = 200;
constexpr TokenId kFirstToken = 42;

KvLayout LayoutOf(const TransferShape& shape) {
  KvLayout layout;
  layout.latent_dim = 512;
  layout.rope_dim = 64;
  layout.num_layers = static_cast<int>(shape.page_bytes / layout.LayerBytes());
  return layout;
}

}  // namespace

SessionContest::SessionContest(const std::string& wire, const TransferShape& shape)
    : shape_(shape) {
  figures_.wire = wire;
  const KvLayout layout = LayoutOf(shape);
  const int tokens = static_cast<int>(shape.Pages()) * layout.tokens_per_page;
  const int rounds = shape.rounds + 1;
  plans_.push_back({1, layout, tokens, rounds});
  for (std::uint64_t i = 0; i < kSessionsManyCount; ++i) {
    plans_.push_back({2 + i, layout, tokens / kSessionsManyCount, rounds});
  }
  plans_.push_back({kReceivers, layout, layout.tokens_per_page, kSmallHandoffs});
  for (const ReceiverPlan& plan : plans_) receivers_.push_back(ForkReceiver(wire, plan));
}

absl::Status SessionContest::Open() {
  StayOnProcessor(0);
  BATON_ASSIGN_OR_RETURN(pages_, KvArena::Create(plans_[0].layout, plans_[0].Pages()));
  FillPages(*pages_);
  end_ = std::make_unique<SendingEnd>(*pages_, TransferLimits());
  BATON_RETURN_IF_ERROR(end_->Open(figures_.wire));
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    BATON_RETURN_IF_ERROR(end_->AddReceiver(*receivers_[i], plans_[i]));
  }
  return absl::OkStatus();
}

absl::StatusOr<double> SessionContest::HandOver(std::size_t first, std::size_t end) {
  const Instant start = std::chrono::steady_clock::now();
  for (std::size_t i = first; i < end; ++i) {
    const HandoffId handoff = end_->Start(i, plans_[i].Pages());
    end_->Push(OutboundFirstToken{handoff, kFirstToken, false});
  }
  BATON_ASSIGN_OR_RETURN(const std::vector<OutboundEnded> ended, end_->Await(end - first));
  const double seconds = ToSeconds(std::chrono::steady_clock::now() - start);
  double bytes = 0;
  for (const OutboundEnded& one : ended) bytes += static_cast<double>(one.bytes);
  return bytes / seconds / 1e9;
}

absl::Status SessionContest::Small() {
  for (int i = 0; i < kSmallHandoffs; ++i) {
    const Instant start = std::chrono::steady_clock::now();
    const HandoffId handoff = end_->Start(kReceivers - 1, 1);
    end_->Push(OutboundFirstToken{handoff, kFirstToken, false});
    BATON_ASSIGN_OR_RETURN(const std::vector<OutboundEnded> ended, end_->Await(1));
    if (i == 0) continue;  // opens the session
    figures_.small_ms.push_back(ToMilliseconds(std::chrono::steady_clock::now() - start));
    figures_.offer_ms.push_back(ToMilliseconds(ended[0].times.offer));
  }
  return absl::OkStatus();
}

absl::Status SessionContest::Run() {
  for (int round = 0; round <= shape_.rounds; ++round) {
    BATON_ASSIGN_OR_RETURN(const double one, HandOver(0, 1));
    BATON_ASSIGN_OR_RETURN(const double many, HandOver(1, 1 + kSessionsManyCount));
    if (round == 0) continue;  // opens the sessions
    figures_.one_gb_per_s.push_back(one);
    figures_.many_gb_per_s.push_back(many);
  }
  BATON_RETURN_IF_ERROR(Small());
  for (const auto& receiver : receivers_) BATON_RETURN_IF_ERROR(CheckReceived(*receiver));
  return absl::OkStatus();
}

}  // namespace baton::bench
