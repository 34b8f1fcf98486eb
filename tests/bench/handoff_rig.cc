#include "tests/bench/handoff_rig.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "kvtransfer/inbound_transfers.h"
#include "kvtransfer/transport_wait.h"

namespace baton::bench {
namespace {

constexpr Incarnation kSender{100};
constexpr Introduction kIntroduction{7, 7, 7};
constexpr auto kRunTimeMax = std::chrono::minutes(10);
constexpr auto kHandoffTimeMax = std::chrono::minutes(1);
constexpr auto kFarewell = Milliseconds(50);  // for the last acknowledgement to leave

Instant Now() { return std::chrono::steady_clock::now(); }

Incarnation IncarnationOf(std::uint64_t worker) { return Incarnation{1000 + worker}; }
std::string NameOf(std::uint64_t worker) { return absl::StrCat("d", worker); }
AttemptId IdOf(std::uint64_t worker, std::uint64_t number) { return {{worker, number}, 1}; }
PageKey KeyOf(std::uint64_t number) { return {number, 5}; }

std::uint64_t PatternWord(std::uint64_t page, std::uint64_t index) {
  std::uint64_t x = (page + 1) * 0x9E3779B97F4A7C15 + index * 0xBF58476D1CE4E5B9;
  x ^= x >> 31;
  return x * 0x94D049BB133111EB;
}

/// The receiver's side of everything: transfer thread and engine in one loop.
class ReceivingEnd {
 public:
  ReceivingEnd(Transport& transport, KvArena& arena, const ReceiverPlan& plan)
      : transport_(transport),
        arena_(arena),
        plan_(plan),
        inbound_({NameOf(plan.worker), IncarnationOf(plan.worker), FieldsOf(plan.layout)}, arena,
                 transport, 9) {
    std::memset(arena.base(), 0xff, arena.num_pages() * plan.layout.PageBytes());
    Expect();
  }

  std::string Serve() {
    const Instant deadline = Now() + kRunTimeMax;
    while (committed_ < plan_.handoffs && failed_.empty()) {
      if (Now() >= deadline) return "the hand-offs took too long";
      Round(deadline);
    }
    const Instant end = Now() + kFarewell;
    while (Now() < end) Round(end);
    if (!failed_.empty()) return failed_;
    return Whole() ? "ok" : "a page differs";
  }

 private:
  void Round(Instant deadline) {
    const Instant now = Now();
    const Instant due = std::min(inbound_.Tick(now), deadline);
    const std::vector<InboundEvent> events = inbound_.TakeEvents();
    for (const InboundEvent& event : events) Hear(event, now);
    if (events.empty()) WaitForWork(transport_, std::min<Duration>(due - now, Milliseconds(100)));
  }

  void Expect() {
    ExpectInbound expect;
    expect.id = IdOf(plan_.worker, ++expected_);
    expect.prefill = kSender;
    expect.introduction = kIntroduction;
    expect.prompt_tokens = static_cast<std::uint32_t>(plan_.tokens);
    expect.prompt_key = KeyOf(expected_);
    inbound_.On(expect, Now());
  }

  void Hear(const InboundEvent& event, Instant now) {
    if (const auto* offer = std::get_if<OfferArrived>(&event)) {
      GrantInbound grant{offer->id, 0, {}, true};
      for (std::uint32_t i = 0; i < plan_.Pages(); ++i) grant.pages.push_back(PlaceOf(i));
      inbound_.On(grant, now);
    } else if (std::holds_alternative<InboundCommitted>(event)) {
      if (++committed_ < plan_.handoffs) Expect();
    } else if (const auto* failed = std::get_if<InboundFailed>(&event)) {
      failed_ = ToString(failed->reason);
    }
  }

  /// Scattered, as a pool gives pages: no run of two.
  PageId PlaceOf(std::uint32_t ordinal) const {
    const std::uint32_t half = (plan_.Pages() + 1) / 2;
    return PageId{ordinal < half ? 2 * ordinal : 2 * (ordinal - half) + 1};
  }

  bool Whole() const {
    const std::uint64_t words = plan_.layout.PageBytes() / 8;
    for (std::uint32_t page = 0; page < plan_.Pages(); ++page) {
      const std::byte* at = arena_.Page(PlaceOf(page)).data();
      for (std::uint64_t i = 0; i < words; ++i) {
        const std::uint64_t word = PatternWord(page, i);
        if (std::memcmp(at + 8 * i, &word, sizeof(word)) != 0) return false;
      }
    }
    return true;
  }

  Transport& transport_;
  KvArena& arena_;
  const ReceiverPlan plan_;
  InboundTransfers inbound_;
  std::uint64_t expected_ = 0;
  int committed_ = 0;
  std::string failed_;
};

}  // namespace

UcxOptions OnlyWire(absl::string_view wire) {
  UcxOptions options;
  options.shm = wire == "shm";
  options.tcp = wire == "tcp";
  return options;
}

void FillPages(KvArena& arena) {
  const std::uint64_t words = arena.layout().PageBytes() / 8;
  for (std::uint32_t page = 0; page < arena.num_pages(); ++page) {
    std::byte* at = arena.Page(PageId{page}).data();
    for (std::uint64_t i = 0; i < words; ++i) {
      const std::uint64_t word = PatternWord(page, i);
      std::memcpy(at + 8 * i, &word, sizeof(word));
    }
  }
}

std::unique_ptr<ForkedPeer> ForkReceiver(const std::string& wire, const ReceiverPlan& plan) {
  return std::make_unique<ForkedPeer>([=](const ForkedPeer::Tell& tell) {
    const auto transport = MakeUcxTransport(OnlyWire(wire));
    const auto arena = KvArena::Create(plan.layout, plan.Pages());
    if (!transport.ok() || !arena.ok()) return 1;
    ReceivingEnd end(**transport, **arena, plan);
    tell((*transport)->address());
    tell(end.Serve());
    return 0;
  });
}

absl::Status CheckReceived(ForkedPeer& receiver) {
  const std::string said = receiver.Told();
  if (said == "ok") return absl::OkStatus();
  return absl::DataLossError(said.empty() ? "the receiver said nothing" : said);
}

SendingEnd::~SendingEnd() {
  if (thread_ != nullptr) thread_->Stop();
}

absl::Status SendingEnd::Open(const std::string& wire) {
  wire_ = wire;
  BATON_ASSIGN_OR_RETURN(transport_, MakeUcxTransport(OnlyWire(wire)));
  transfers_ = std::make_unique<OutboundTransfers>(
      LocalWorker{"p", kSender, FieldsOf(pages_.layout())}, pages_, *transport_, 7, limits_);
  thread_ = std::make_unique<Thread>(*transport_, *transfers_);
  thread_->Start([this](OutboundEvent&& event) { return events_.TryPush(std::move(event)); });
  return absl::OkStatus();
}

absl::Status SendingEnd::AddReceiver(ForkedPeer& receiver, const ReceiverPlan& plan) {
  std::string address = receiver.Told();
  if (address.empty()) return absl::UnavailableError("a receiving process did not start");
  receivers_.push_back({plan, std::move(address), 0});
  return absl::OkStatus();
}

HandoffId SendingEnd::Start(std::size_t index, std::uint32_t ready_pages) {
  Receiver& receiver = receivers_[index];
  const std::uint64_t worker = receiver.plan.worker;
  const std::uint64_t number = ++receiver.started;
  StartOutbound start;
  start.handoff = HandoffId{++handoffs_};
  start.id = IdOf(worker, number);
  start.peer = {NameOf(worker), IncarnationOf(worker), receiver.address, kIntroduction};
  start.prompt_tokens = static_cast<std::uint32_t>(receiver.plan.tokens);
  start.prompt_key = KeyOf(number);
  start.ready_pages = ready_pages;
  for (std::uint32_t i = 0; i < receiver.plan.Pages(); ++i) start.pages.push_back(PageId{i});
  thread_->Push(start);
  return start.handoff;
}

absl::Status SendingEnd::Check(const OutboundEnded& ended) const {
  if (ended.reason != HandoffReason::kCommitted) {
    return absl::AbortedError(absl::StrCat("a hand-off ended: ", ended.message));
  }
  if (ended.wire == wire_) return absl::OkStatus();
  return absl::UnavailableError(absl::StrFormat("asked for %s, went over %s", wire_, ended.wire));
}

absl::StatusOr<std::vector<OutboundEnded>> SendingEnd::Await(std::size_t count) {
  const Instant deadline = Now() + kHandoffTimeMax;
  std::vector<OutboundEnded> all;
  std::vector<OutboundEvent> events;
  for (std::size_t settled = 0; settled < count;) {
    if (Now() >= deadline) return absl::DeadlineExceededError("a hand-off does not end");
    events_.WaitUntil(deadline);
    events.clear();
    events_.DrainTo(events);
    for (OutboundEvent& event : events) {
      settled += std::holds_alternative<OutboundSettled>(event) ? 1 : 0;
      auto* ended = std::get_if<OutboundEnded>(&event);
      if (ended == nullptr) continue;
      BATON_RETURN_IF_ERROR(Check(*ended));
      all.push_back(std::move(*ended));
    }
  }
  return all;
}

}  // namespace baton::bench
