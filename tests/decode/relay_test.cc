// Disaggregated = aggregated: what prefill and decode stream together is what one undisturbed
// process gives, and at the end every page of both is free.
#include <algorithm>

#include "gtest/gtest.h"
#include "tests/decode/relay_world.h"

namespace baton {
namespace {

std::vector<TokenId> Wanted(const FakeRequest& request) {
  std::vector<TokenId> tokens;
  for (const TokenOutput& output :
       FakeAnswer(request.tokens, SamplingOf(request), StopOf(request))) {
    tokens.push_back(output.token);
  }
  return tokens;
}

void ExpectAtRest(const RelayWorld& world) {
  EXPECT_EQ(world.prefill->ledger().free, world.prefill->ledger().pool);
  EXPECT_EQ(world.decode->ledger().free, world.decode->ledger().pool);
  EXPECT_EQ(world.decode->ledger().promised, 0U);
  EXPECT_TRUE(world.outbound->settled());
  EXPECT_TRUE(world.inbound->settled());
}

TEST(RelayTest, EveryLengthAndChunkSizeGivesTheAnswerOfOneProcess) {
  for (const int chunk : {8, 16, 64}) {
    RelayOptions options;
    options.prefill.step_tokens_max = chunk;
    RelayWorld world(options);
    for (int length = 1; length <= 200; ++length) {
      const auto id = static_cast<std::uint64_t>(length);
      const FakeRequest request{.id = id,
                                .tokens = FakePrompt(length, 1000 + id),
                                .max_tokens = 2 + length % 7,
                                .seed = id};
      world.Dispatch(request);
      world.Run();
      ASSERT_EQ(world.Answer(id), Wanted(request)) << "length " << length << " chunk " << chunk;
      ASSERT_TRUE(world.Failures(id).empty());
      world.said.clear();
    }
    ExpectAtRest(world);
    EXPECT_EQ(world.decode->stats().handoffs_committed, 200U);
  }
}

// Both ends hold the prompt already; what it gives to its tokens is computed all the same, and the
// hand-off brings only what decode lacks.
TEST(RelayTest, LogprobsOfThePromptAreThoseOfOneProcessWhateverIsCached) {
  for (const int chunk : {8, 16, 64}) {
    RelayOptions options;
    options.prefill.step_tokens_max = chunk;
    RelayWorld world(options);
    const std::vector<TokenId> text = FakePrompt(100, 5);
    std::uint64_t id = 0;
    for (int length = 100; length >= 1; length -= 9) {
      FakeRequest request{.id = ++id, .tokens = {text.begin(), text.begin() + length}};
      request.prompt_logprobs = 0;
      id % 2 == 0 ? world.DispatchLocal(request) : world.Dispatch(request);
      world.Run();
      ASSERT_EQ(PromptLogprobsOf(world.said, id), FakePromptLogprobs(request.tokens)) << length;
      ASSERT_EQ(world.Answer(id), Wanted(request)) << length;
      world.said.clear();
    }
    ExpectAtRest(world);
  }
}

// One prompt, cut at every length: hits at both ends, of every size, full hits included.
TEST(RelayTest, EveryHitAtBothEndsGivesTheAnswerOfOneProcess) {
  const std::vector<TokenId> text = FakePrompt(200, 5);
  RelayWorld world;
  std::uint64_t id = 0;
  for (const int stride : {7, 16, 1}) {
    for (int length = 1; length <= 60; length += stride) {
      FakeRequest request{.id = ++id, .tokens = {text.begin(), text.begin() + length}};
      request.seed = id;
      // Every third prompt is known to decode alone, so its hit is the longer one.
      if (id % 3 == 0) {
        world.DispatchLocal(request);
      } else {
        world.Dispatch(request);
      }
      world.Run();
      ASSERT_EQ(world.Answer(id), Wanted(request)) << "length " << length;
    }
  }
  ExpectAtRest(world);
  EXPECT_GT(world.prefill->stats().cached_tokens, 0U);
  EXPECT_GT(world.decode->stats().handoff_pages_saved, 0U);
}

/// A prompt whose first pages each end holds already, and how many these are.
struct Hits {
  int length = 1;
  int prefill_pages = 0;
  int decode_pages = 0;
};

/// Prompts that leave so many pages in one end's cache alone: prefill keeps those of a request that
/// ends with its first token, decode those of a prompt that it ran itself.
void Prepare(RelayWorld& world, const Hits& hits, const std::vector<TokenId>& text) {
  const int page = RelayOptions().page_tokens;
  const auto prefix = [&](int pages, std::uint64_t id) {
    return FakeRequest{
        .id = id, .tokens = {text.begin(), text.begin() + pages * page}, .max_tokens = 1};
  };
  if (hits.prefill_pages > 0) world.Dispatch(prefix(hits.prefill_pages, 100));
  if (hits.decode_pages > 0) world.DispatchLocal(prefix(hits.decode_pages, 101));
  world.Run();
}

// Every (hit at prefill, hit at decode, length), also a prompt that decode holds whole: the answer
// is that of one process, and what travels is what decode lacks.
TEST(RelayTest, EveryPairOfHitsMovesWhatDecodeLacksAndNoMore) {
  const std::vector<TokenId> text = FakePrompt(64, 5);
  const int page = RelayOptions().page_tokens;
  int whole = 0;
  for (int length = 1; length <= 4 * page + 1; ++length) {
    for (int at_prefill = 0; at_prefill <= length / page; ++at_prefill) {
      for (int at_decode = 0; at_decode <= length / page; ++at_decode) {
        RelayWorld world;
        Prepare(world, {length, at_prefill, at_decode}, text);
        const std::uint64_t cached = world.prefill->stats().cached_tokens;
        const std::uint64_t posted = world.outbound->stats().bytes_posted;
        const FakeRequest request{.id = 1, .tokens = {text.begin(), text.begin() + length}};
        world.Dispatch(request);
        world.Run();
        ASSERT_EQ(world.Answer(1), Wanted(request))
            << "length " << length << " hits " << at_prefill << ", " << at_decode;
        const KvLayout& layout = world.prefill_arena->layout();
        const auto pages = static_cast<std::uint64_t>(layout.PagesFor(length) - at_decode);
        EXPECT_EQ(world.outbound->stats().bytes_posted - posted, pages * layout.PageBytes());
        EXPECT_EQ(world.decode->stats().handoff_pages_saved, static_cast<std::uint64_t>(at_decode));
        const int found = std::min(at_prefill, (length - 1) / page) * page;
        EXPECT_EQ(world.prefill->stats().cached_tokens - cached, static_cast<std::uint64_t>(found));
        ExpectAtRest(world);
        whole += pages == 0;
      }
    }
  }
  EXPECT_GT(whole, 0);
}

TEST(RelayTest, ManyAtATimeEqualTheirSoloAnswers) {
  RelayOptions options;
  options.pages = 96;  // fewer than all of them want at a time
  options.decode.promised_fraction_max = 0.25;
  options.decode.offer_wait = std::chrono::seconds(60);
  RelayWorld world(options);
  std::vector<FakeRequest> requests;
  for (std::uint64_t id = 1; id <= 32; ++id) {
    requests.push_back({.id = id,
                        .tokens = FakePrompt(static_cast<int>(id * 13 % 90) + 1, id % 6),
                        .max_tokens = static_cast<int>(id % 20) + 1,
                        .seed = id});
    world.Dispatch(requests.back());
    if (id % 4 == 0) world.Advance();
  }
  world.Run();
  for (const FakeRequest& request : requests) {
    EXPECT_EQ(world.Answer(request.id), Wanted(request)) << request.id;
  }
  ExpectAtRest(world);
}

// A cancel before every single event of a request's life.
TEST(RelayTest, CancelAtAnyMomentGivesEveryPageBack) {
  for (int moment = 0; moment < 40; ++moment) {
    RelayWorld world;
    const FakeRequest request{.id = 1, .tokens = FakePrompt(100, 5), .max_tokens = 20};
    world.Dispatch(request);
    for (int i = 0; i < moment; ++i) {
      if (!world.Advance()) break;
    }
    world.Cancel(1);
    world.Run();
    world.Settle();
    ExpectAtRest(world);
    EXPECT_TRUE(world.Failures(1).empty());
    // The pages are as good as before: the next prompt on them gives its own answer.
    const FakeRequest next{.id = 2, .tokens = FakePrompt(100, 6)};
    world.Dispatch(next);
    world.Run();
    ASSERT_EQ(world.Answer(2), Wanted(next)) << moment;
  }
}

TEST(RelayTest, FirstTokenMayBeTheLast) {
  RelayWorld world;
  const FakeRequest request{.id = 1, .tokens = FakePrompt(30, 5), .max_tokens = 1};
  world.Dispatch(request);
  world.Run();
  EXPECT_EQ(world.Answer(1), Wanted(request));
  EXPECT_EQ(world.decode->stats().handoffs_committed, 0U);
  ExpectAtRest(world);
}

TEST(RelayTest, ARetryAfterALostPeerGoesOnExactly) {
  RelayWorld world;
  FakeRequest request{.id = 1, .tokens = FakePrompt(50, 5), .max_tokens = 12};
  const std::vector<TokenId> wanted = Wanted(request);
  world.Dispatch(request);
  while (world.Answer(1).size() < 5) ASSERT_TRUE(world.Advance());
  const std::vector<TokenId> so_far = world.Answer(1);
  request.prompt_tokens = 50;
  request.attempt = 2;
  request.tokens.insert(request.tokens.end(), so_far.begin(), so_far.end());
  world.Dispatch(request);
  world.Run();
  EXPECT_EQ(world.Answer(1), wanted);
  ExpectAtRest(world);
}

TEST(RelayTest, ACutBetweenTheWorkersFailsBothLegsOnce) {
  RelayWorld world;
  world.Dispatch({.id = 1, .tokens = FakePrompt(100, 5)});
  world.Advance();
  world.fabric.Cut("p", "d");
  world.Run();
  world.Settle();
  EXPECT_EQ(world.Failures(1).size(), 2U);  // one from each worker
  for (const link::JobFailed& failure : world.Failures(1)) EXPECT_TRUE(failure.retryable());
  ExpectAtRest(world);
}

}  // namespace
}  // namespace baton
