// A prefill end and a decode end joined by a loopback fabric under virtual time: what most tests of
// the hand-off stand on. Plays both engine threads: fills source pages with a pattern of their
// ordinal, lends fresh pages (poisoned) for what "decode" does not hold.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kvcache/kv_arena.h"
#include "kvtransfer/inbound_transfers.h"
#include "kvtransfer/loopback_transport.h"
#include "kvtransfer/outbound_transfers.h"

namespace baton {

inline KvLayout SmallLayout() {
  KvLayout layout;
  layout.num_layers = 2;
  layout.tokens_per_page = 4;
  layout.latent_dim = 6;
  layout.rope_dim = 2;
  return layout;
}

inline FingerprintFields SmallFields() {
  FingerprintFields fields = FieldsOf(SmallLayout());
  fields.emplace_back("model_revision", "r1");
  fields.emplace_back("backend", "reference");
  return fields;
}

/// What is asked of one hand-off.
struct HandoffAsk {
  std::uint64_t number = 1;  // HandoffId and request
  std::uint32_t attempt = 1;
  std::uint32_t tokens = 10;
  std::uint32_t ready_pages = 0;  // hit at P
  std::uint32_t held_pages = 0;   // hit at D
};

class HandoffPair {
 public:
  static constexpr std::uint32_t kPages = 640;

  explicit HandoffPair(TransferLimits limits = {}) : HandoffPair(limits, limits) {}
  HandoffPair(TransferLimits prefill_limits, TransferLimits decode_limits)
      : prefill_limits_(prefill_limits), decode_limits_(decode_limits) {
    fabric.SetFrameBytesBest(SmallLayout().LayerBytes());
    source = *KvArena::Create(SmallLayout(), kPages);
    target = *KvArena::Create(SmallLayout(), kPages);
    std::memset(target->base(), 0xff, kPages * SmallLayout().PageBytes());
    StartPrefill(SmallFields());
    StartDecode(Incarnation{200}, SmallFields());
  }

  void StartPrefill(const FingerprintFields& fields) {
    outbound.reset();
    prefill_wire.reset();
    prefill_wire = std::make_unique<LoopbackTransport>(fabric, "prefill");
    outbound = std::make_unique<OutboundTransfers>(LocalWorker{"p0", Incarnation{100}, fields},
                                                   *source, *prefill_wire, 7, prefill_limits_);
  }

  void StartDecode(Incarnation incarnation, const FingerprintFields& fields) {
    KillDecode();
    decode_incarnation = incarnation;
    decode_wire = std::make_unique<LoopbackTransport>(fabric, "decode");
    inbound = std::make_unique<InboundTransfers>(LocalWorker{"d0", incarnation, fields}, *target,
                                                 *decode_wire, 9, decode_limits_);
  }

  void KillDecode() {
    inbound.reset();
    decode_wire.reset();
  }

  // --- commands of both engine threads

  static AttemptId IdOf(const HandoffAsk& ask) { return {{1, ask.number}, ask.attempt}; }
  static std::uint32_t PagesOf(const HandoffAsk& ask) {
    return static_cast<std::uint32_t>(SmallLayout().PagesFor(static_cast<int>(ask.tokens)));
  }
  static HandoffId HandoffOf(const HandoffAsk& ask) {
    return HandoffId{ask.number * 100 + ask.attempt};
  }
  /// Source pages stand at the front of P's pool, the lent ones at the back of D's.
  static PageId SourcePage(std::uint32_t ordinal) { return PageId{ordinal}; }
  static PageId TargetPage(std::uint32_t ordinal) { return PageId{kPages - 1 - 2 * ordinal}; }

  void Expect(const HandoffAsk& ask) {
    ExpectInbound expect;
    expect.id = IdOf(ask);
    expect.prefill = Incarnation{100};
    expect.introduction = introduction;
    expect.prompt_tokens = ask.tokens;
    expect.prompt_key = {ask.number, 5};
    inbound->On(expect, now);
  }

  void Start(const HandoffAsk& ask) {
    StartOutbound start;
    start.handoff = HandoffOf(ask);
    start.id = IdOf(ask);
    start.peer = {"d0", decode_incarnation, "decode", introduction};
    start.prompt_tokens = ask.tokens;
    start.prompt_key = {ask.number, 5};
    for (std::uint32_t i = 0; i < PagesOf(ask); ++i) start.pages.push_back(SourcePage(i));
    start.ready_pages = ask.ready_pages;
    FillSource(0, ask.ready_pages);
    outbound->On(start, now);
  }

  /// The engine computes pages [first, end) in one step.
  void Compute(const HandoffAsk& ask, std::uint32_t first, std::uint32_t end) {
    outbound->On(OutboundStep{++step, {{HandoffOf(ask), first, end, end == PagesOf(ask)}}}, now);
    FillSource(first, end);
    outbound->On(OutboundLayer{step, 0}, now);
    outbound->On(OutboundLayer{step, 1}, now);
  }

  void Token(const HandoffAsk& ask, TokenId token, bool ends = false) {
    outbound->On(OutboundFirstToken{HandoffOf(ask), token, ends}, now);
  }

  void Grant(const HandoffAsk& ask) {
    GrantInbound grant;
    grant.id = IdOf(ask);
    grant.first_page = ask.held_pages;
    for (std::uint32_t i = ask.held_pages; i < PagesOf(ask); ++i)
      grant.pages.push_back(TargetPage(i));
    inbound->On(grant, now);
  }

  // --- time

  /// Rounds of both ends until neither says anything new, at most `rounds`.
  void Run(int rounds = 12) {
    for (int i = 0; i < rounds; ++i) {
      due = kNever;
      if (outbound) Collect(outbound->Tick(now), outbound->TakeEvents(), sent);
      if (inbound) Collect(inbound->Tick(now), inbound->TakeEvents(), received);
      now += std::chrono::microseconds(10);
    }
  }

  void Advance(Duration duration, Duration stride = Milliseconds(50)) {
    const Instant end = now + duration;
    while (now < end) {
      now += stride;
      Run(2);
    }
  }

  // --- what happened

  template <typename Event, typename Events>
  static std::vector<Event> All(const Events& events) {
    std::vector<Event> found;
    for (const auto& event : events) {
      if (const auto* value = std::get_if<Event>(&event)) found.push_back(*value);
    }
    return found;
  }
  std::vector<OutboundEnded> ended() const { return All<OutboundEnded>(sent); }
  std::vector<OutboundSettled> settled() const { return All<OutboundSettled>(sent); }
  std::vector<OfferArrived> offers() const { return All<OfferArrived>(received); }
  std::vector<InboundCommitted> committed() const { return All<InboundCommitted>(received); }
  std::vector<InboundFailed> failed() const { return All<InboundFailed>(received); }
  std::vector<LeaseClosed> closed() const { return All<LeaseClosed>(received); }

  static std::byte PatternOf(std::uint32_t ordinal, std::size_t offset) {
    return static_cast<std::byte>(ordinal * 31 + offset * 7 + 1);
  }
  bool TargetHolds(std::uint32_t ordinal) const {
    const std::span<std::byte> page = target->Page(TargetPage(ordinal));
    for (std::size_t i = 0; i < page.size(); ++i) {
      if (page[i] != PatternOf(ordinal, i)) return false;
    }
    return true;
  }
  bool TargetUntouched(std::uint32_t ordinal) const {
    for (const std::byte byte : target->Page(TargetPage(ordinal))) {
      if (byte != std::byte{0xff}) return false;
    }
    return true;
  }
  void FillSource(std::uint32_t first, std::uint32_t end) {
    FillSourceFront(first, end, SmallLayout().PageBytes());
  }
  /// The first `bytes` of each page.
  void FillSourceFront(std::uint32_t first, std::uint32_t end, std::size_t bytes) {
    for (std::uint32_t ordinal = first; ordinal < end; ++ordinal) {
      const std::span<std::byte> page = source->Page(SourcePage(ordinal));
      for (std::size_t i = 0; i < bytes; ++i) page[i] = PatternOf(ordinal, i);
    }
  }

  LoopbackFabric fabric;
  std::unique_ptr<KvArena> source;
  std::unique_ptr<KvArena> target;
  std::unique_ptr<LoopbackTransport> prefill_wire;
  std::unique_ptr<LoopbackTransport> decode_wire;
  std::unique_ptr<OutboundTransfers> outbound;
  std::unique_ptr<InboundTransfers> inbound;
  Incarnation decode_incarnation{};
  Introduction introduction{1, 2, 3};
  std::vector<OutboundEvent> sent;
  std::vector<InboundEvent> received;
  std::uint64_t step = 0;
  Instant now{std::chrono::seconds(1000)};
  Instant due = kNever;

 private:
  template <typename Event>
  void Collect(Instant next, std::vector<Event> events, std::vector<Event>& into) {
    due = std::min(due, next);
    into.insert(into.end(), events.begin(), events.end());
  }

  TransferLimits prefill_limits_;
  TransferLimits decode_limits_;
};

}  // namespace baton
