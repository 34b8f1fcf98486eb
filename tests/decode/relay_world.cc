#include "tests/decode/relay_world.h"

#include <algorithm>
#include <map>

#include "gtest/gtest.h"

namespace baton {

RelayWorld::RelayWorld(const RelayOptions& options)
    : prefill_arena(*KvArena::Create(FakeLayout(options.page_tokens), options.pages)),
      decode_arena(*KvArena::Create(FakeLayout(options.page_tokens), options.pages)),
      prefill_facts(FakeFacts("p", 7, link::ROLE_PREFILL, *prefill_arena)),
      decode_facts(FakeFacts("d", 9, link::ROLE_DECODE, *decode_arena)),
      prefill_transport(std::make_unique<LoopbackTransport>(fabric, "p")),
      decode_transport(std::make_unique<LoopbackTransport>(fabric, "d")) {
  // Whatever is read before it was written shows.
  for (std::uint32_t page = 0; page < options.pages; ++page) {
    std::ranges::fill(prefill_arena->Page(PageId{page}), std::byte{0xff});
    std::ranges::fill(decode_arena->Page(PageId{page}), std::byte{0xff});
  }
  const FingerprintFields fields = FieldsOf(prefill_arena->layout());
  outbound = std::make_unique<OutboundTransfers>(LocalWorker{"p", Incarnation{7}, fields},
                                                 *prefill_arena, *prefill_transport, 1);
  inbound = std::make_unique<InboundTransfers>(LocalWorker{"d", Incarnation{9}, fields},
                                               *decode_arena, *decode_transport, 2);
  FakeExecutor::Options with_layers;
  with_layers.layer_done = [this](std::uint64_t step, int layer) {
    outbound->On(OutboundLayer{step, static_cast<std::uint32_t>(layer)}, now);
  };
  prefill_executor = std::make_unique<FakeExecutor>(*prefill_arena, std::move(with_layers));
  decode_executor = std::make_unique<FakeExecutor>(*decode_arena, FakeExecutor::Options{});
  prefill = std::make_unique<PrefillWorker>(prefill_facts, *prefill_arena, *prefill_executor,
                                            options.prefill);
  decode =
      std::make_unique<DecodeWorker>(decode_facts, *decode_arena, *decode_executor, options.decode);
  prefill->OnLinkUp(kRelayLink, now);
  decode->OnLinkUp(kRelayLink, now);
}

void RelayWorld::Dispatch(const FakeRequest& request) {
  decode->OnMessage(kRelayLink, DecodeJobOf(request, &prefill_facts), now);
  prefill->OnMessage(kRelayLink, PrefillJobOf(request, decode_facts), now);
}

void RelayWorld::DispatchLocal(const FakeRequest& request) {
  decode->OnMessage(kRelayLink, DecodeJobOf(request, nullptr), now);
}

void RelayWorld::Cancel(std::uint64_t id) {
  decode->OnMessage(kRelayLink, CancelOf(id, 0), now);
  prefill->OnMessage(kRelayLink, CancelOf(id, 0), now);
}

bool RelayWorld::PrefillRound() {
  prefill_executor->Advance(now);
  const Instant before = prefill_executor->due();
  due_ = std::min(due_, prefill->Tick(now));
  const std::vector<OutboundCommand> commands = prefill->TakeTransferCommands();
  for (const OutboundCommand& command : commands) outbound->On(command, now);
  due_ = std::min({due_, prefill_executor->due(), outbound->Tick(now)});
  const std::vector<OutboundEvent> events = outbound->TakeEvents();
  for (const OutboundEvent& event : events) prefill->OnTransfer(event, now);
  return !commands.empty() || !events.empty() || before != prefill_executor->due();
}

bool RelayWorld::DecodeRound() {
  decode_executor->Advance(now);
  const Instant before = decode_executor->due();
  due_ = std::min(due_, decode->Tick(now));
  const std::vector<InboundCommand> commands = decode->TakeTransferCommands();
  for (const InboundCommand& command : commands) inbound->On(command, now);
  due_ = std::min({due_, decode_executor->due(), inbound->Tick(now)});
  const std::vector<InboundEvent> events = inbound->TakeEvents();
  for (const InboundEvent& event : events) decode->OnTransfer(event, now);
  return !commands.empty() || !events.empty() || before != decode_executor->due();
}

bool RelayWorld::Round() {
  due_ = kNever;
  const bool prefill_moved = PrefillRound();
  const bool decode_moved = DecodeRound();
  for (WorkerOutput& output : prefill->TakeLinkMessages()) said.push_back(std::move(output));
  for (WorkerOutput& output : decode->TakeLinkMessages()) said.push_back(std::move(output));
  EXPECT_EQ(prefill->ledger().unaccounted(), 0);
  EXPECT_EQ(decode->ledger().unaccounted(), 0);
  return prefill_moved || decode_moved;
}

void RelayWorld::Settle() {
  // A message takes a round or two from end to end, so one quiet round is not the end.
  for (int quiet = 0; quiet < 4;) quiet = Round() ? 0 : quiet + 1;
}

bool RelayWorld::Advance() {
  Settle();
  const bool idle = prefill_executor->due() == kNever && decode_executor->due() == kNever &&
                    outbound->settled() && inbound->settled();
  if (idle || due_ == kNever) return false;
  now = std::max(due_, now + Duration{1});
  return true;
}

void RelayWorld::Run() {
  while (Advance()) {
  }
}

std::vector<TokenId> RelayWorld::Answer(std::uint64_t id) const {
  std::map<std::uint32_t, TokenId> by_index;
  for (const WorkerOutput& output : said) {
    for (const link::SequenceTokens& tokens : output.message.tokens().sequences()) {
      if (tokens.request().low() != id) continue;
      std::uint32_t index = tokens.first_index();
      for (const link::TokenOut& token : tokens.tokens()) {
        const auto [entry, fresh] = by_index.emplace(index++, token.token());
        EXPECT_TRUE(fresh || entry->second == token.token()) << "two workers differ";
      }
    }
  }
  std::vector<TokenId> answer;
  for (const auto& [index, token] : by_index) {
    if (index == answer.size()) answer.push_back(token);
  }
  return answer;
}

}  // namespace baton
