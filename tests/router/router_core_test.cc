#include "router/router_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "kvcache/page_key.h"
#include "tests/router/fake_cluster.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

RouterOptions OptionsOf(std::uint64_t seed = 1) {
  RouterOptions options;
  options.seed = seed;
  options.introduction_secret = "secret";
  return options;
}

link::Load LoadOf(std::uint64_t number, std::uint32_t free_pages = 1000) {
  link::Load load;
  load.set_number(number);
  load.set_free_pages(free_pages);
  return load;
}

void ExpectOracle(const RequestId& id, const Heard& heard) {
  for (std::size_t i = 0; i < heard.tokens.size(); ++i) {
    ASSERT_EQ(heard.tokens[i], OracleToken(id, i)) << "request " << id.low << " token " << i;
  }
}

int JobsAt(const FakeWorker& worker) { return static_cast<int>(worker.jobs.size()); }

TEST(RouterCoreTest, WithoutWorkersARequestFailsAtOnce) {
  FakeCluster cluster(OptionsOf(), 0, 0);
  const Heard& heard = cluster.Submit(1, 10, 5);
  EXPECT_EQ(heard.code, "no_worker");
  EXPECT_EQ(heard.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(cluster.core().Ready(cluster.now()));
  EXPECT_FALSE(cluster.core().Model().has_value());
}

TEST(RouterCoreTest, TheLengthServedIsWhatTheSmallestPoolHolds) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  EXPECT_EQ(cluster.core().Model()->length_tokens_max, 8192);
  link::Register small = RegisterOf("decode-small", link::ROLE_DECODE);
  small.set_pages(100);
  cluster.core().OnLinkUp(LinkId{77}, small, cluster.now());
  EXPECT_EQ(cluster.core().Model()->length_tokens_max, 100 * kTestPageTokens);
}

TEST(RouterCoreTest, AWorkerThatDiffersIsRefusedByName) {
  FakeCluster cluster(OptionsOf(), 1, 0);
  link::Register facts = RegisterOf("decode-0", link::ROLE_DECODE);
  facts.mutable_layout_fields(0)->set_value("fp32");
  cluster.core().OnLinkUp(LinkId{77}, facts, cluster.now());
  const auto outputs = cluster.core().TakeOutputs();
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].link, LinkId{77});
  EXPECT_THAT(outputs[0].message.refused().message(), HasSubstr("kv_dtype"));
}

TEST(RouterCoreTest, ARequestRunsThroughBothWorkers) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  EXPECT_TRUE(cluster.core().Ready(cluster.now()));
  EXPECT_EQ(cluster.core().Model()->page_tokens, kTestPageTokens);
  const Heard& heard = cluster.Submit(1, 40, 5);
  EXPECT_EQ(JobsAt(cluster.prefill(0)), 1);
  EXPECT_EQ(JobsAt(cluster.decode(0)), 1);
  cluster.RunToTheEnd(50);
  EXPECT_EQ(heard.ends, 1);
  EXPECT_EQ(heard.tokens.size(), 5U);
  ExpectOracle({0, 1}, heard);
  EXPECT_EQ(heard.budget.prefill_worker, "prefill-0");
  EXPECT_EQ(cluster.core().Stats(cluster.now()).routed_disaggregated, 1U);
  EXPECT_EQ(cluster.core().Stats(cluster.now()).live_requests, 0);
}

TEST(RouterCoreTest, DecodeAloneServesOnceItWasAloneLongEnough) {
  FakeCluster cluster(OptionsOf(), 0, 1);
  EXPECT_FALSE(cluster.core().Ready(cluster.now()));
  EXPECT_EQ(cluster.Submit(1, 40, 5).code, "no_worker");
  cluster.Wait(OptionsOf().alone_after);
  EXPECT_TRUE(cluster.core().Ready(cluster.now()));
  const Heard& heard = cluster.Submit(2, 40, 5);
  cluster.RunToTheEnd(50);
  EXPECT_EQ(heard.tokens.size(), 5U);
  EXPECT_EQ(heard.budget.prefill_worker, "");
  EXPECT_EQ(cluster.core().Stats(cluster.now()).routed_fallback, 1U);
}

TEST(RouterCoreTest, AnAggregatedClusterIsReadyAtOnce) {
  RouterOptions options = OptionsOf();
  options.alone_after = Duration(0);
  FakeCluster cluster(options, 0, 1);
  EXPECT_TRUE(cluster.core().Ready(cluster.now()));
}

TEST(RouterCoreTest, APrefillWorkerAloneIsNoCluster) {
  FakeCluster cluster(OptionsOf(), 1, 0);
  EXPECT_FALSE(cluster.core().Ready(cluster.now()));
  EXPECT_EQ(cluster.Submit(1, 40, 5).code, "no_worker");
}

TEST(RouterCoreTest, AKilledDecodeWorkersStreamContinuesExactly) {
  FakeCluster cluster(OptionsOf(), 1, 2);
  const Heard& heard = cluster.Submit(1, 40, 20);
  for (int i = 0; i < 6; ++i) cluster.AdvanceAll();
  ASSERT_GT(heard.tokens.size(), 2U);
  FakeWorker& first = JobsAt(cluster.decode(0)) > 0 ? cluster.decode(0) : cluster.decode(1);
  cluster.Down(first);
  EXPECT_THAT(cluster.transcript(), HasSubstr("verdict"));
  cluster.RunToTheEnd(100);
  EXPECT_EQ(heard.ends, 1);
  EXPECT_EQ(heard.tokens.size(), 20U);
  ExpectOracle({0, 1}, heard);
  EXPECT_EQ(cluster.core().Stats(cluster.now()).retries.at("worker_lost"), 1U);
}

TEST(RouterCoreTest, AKilledPrefillWorkersPromptRunsElsewhere) {
  for (const int prefill_workers : {1, 2}) {
    FakeCluster cluster(OptionsOf(), prefill_workers, 1);
    const Heard& heard = cluster.Submit(1, 40, 5);
    FakeWorker& first = JobsAt(cluster.prefill(0)) > 0 ? cluster.prefill(0) : cluster.prefill(1);
    cluster.Down(first);
    cluster.RunToTheEnd(50);
    EXPECT_EQ(heard.tokens.size(), 5U);
    ExpectOracle({0, 1}, heard);
  }
}

TEST(RouterCoreTest, TheOnlyDecodeWorkersDeathIsATypedErrorWithinThreeSeconds) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  const Heard& heard = cluster.Submit(1, 40, 20);
  for (int i = 0; i < 6; ++i) cluster.AdvanceAll();
  cluster.Down(cluster.decode(0));
  EXPECT_EQ(heard.ends, 0);
  cluster.Wait(std::chrono::seconds(3));
  EXPECT_EQ(heard.ends, 1);
  EXPECT_EQ(heard.code, "no_worker");
  ExpectOracle({0, 1}, heard);
  cluster.Up(cluster.decode(0));
  const Heard& next = cluster.Submit(2, 40, 5);
  cluster.RunToTheEnd(50);
  EXPECT_EQ(next.tokens.size(), 5U);
}

TEST(RouterCoreTest, TheOnlyDecodeWorkerThatComesBackInTimeContinues) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  const Heard& heard = cluster.Submit(1, 40, 20);
  for (int i = 0; i < 6; ++i) cluster.AdvanceAll();
  cluster.Down(cluster.decode(0));
  cluster.Wait(std::chrono::seconds(1));
  cluster.Up(cluster.decode(0));
  cluster.RunToTheEnd(100);
  EXPECT_EQ(heard.tokens.size(), 20U);
  ExpectOracle({0, 1}, heard);
}

TEST(RouterCoreTest, ASecondRequestGoesToTheHolderOfItsPrefix) {
  FakeCluster cluster(OptionsOf(), 3, 1);
  link::CacheEvents events;
  events.set_snapshot(true);
  std::vector<TokenId> prompt;
  for (TokenId i = 0; i < 160; ++i) prompt.push_back(i);
  for (const PageKey& key : PageKeysOf(RootKey("namespace", ""), prompt, kTestPageTokens)) {
    events.add_stored(key.low);
  }
  cluster.Say(cluster.prefill(1), MessageOf(events));
  cluster.Submit(1, 170, 5);
  EXPECT_EQ(JobsAt(cluster.prefill(1)), 1);
  EXPECT_EQ(cluster.core().Stats(cluster.now()).predicted_tokens, 160U);
}

TEST(RouterCoreTest, ABurstOfSiblingsQueuesBehindItsMakerAndOthersSpread) {
  FakeCluster cluster(OptionsOf(), 4, 1);
  for (std::uint64_t i = 1; i <= 4; ++i) {
    Request request;
    request.id = {0, i};
    request.prompt.assign(2000, static_cast<TokenId>(i));
    request.stop.max_tokens = 5;
    cluster.Submit(request);
  }
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(JobsAt(cluster.prefill(i)), 1) << i;
  const std::size_t maker = [&] {
    for (std::size_t i = 0; i < 4; ++i) {
      if (cluster.prefill(i).jobs.contains({RequestId{0, 2}, 1})) return i;
    }
    return std::size_t{99};
  }();
  ASSERT_LT(maker, 4U);
  Request sibling;
  sibling.id = {0, 5};
  sibling.prompt.assign(2000, 2);
  sibling.stop.max_tokens = 5;
  cluster.Submit(sibling);
  EXPECT_EQ(JobsAt(cluster.prefill(maker)), 2);
}

TEST(RouterCoreTest, AGapInAWorkersEventsIsAnsweredWithOneResync) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  link::CacheEvents snapshot;
  snapshot.set_snapshot(true);
  cluster.Say(cluster.prefill(0), MessageOf(snapshot));
  const auto resyncs = [&] {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = cluster.transcript().find("resync", at)) != std::string::npos;) {
      ++count;
      ++at;
    }
    return count;
  };
  const std::size_t before = resyncs();
  link::CacheEvents gap;
  gap.set_first_number(5);
  gap.set_next_number(6);
  gap.add_stored(1);
  cluster.Say(cluster.prefill(0), MessageOf(gap));
  cluster.Say(cluster.prefill(0), MessageOf(gap));
  EXPECT_EQ(resyncs(), before + 1);
  EXPECT_EQ(cluster.core().Stats(cluster.now()).event_gaps, 1U);
}

TEST(RouterCoreTest, FullWorkersMakeRequestsWaitAndTheQueueIsBounded) {
  RouterOptions options = OptionsOf();
  options.queue_requests_max = 2;
  FakeCluster cluster(options, 1, 1);
  cluster.Say(cluster.decode(0), MessageOf(LoadOf(1, 0)));
  const Heard& first = cluster.Submit(1, 40, 5);
  const Heard& second = cluster.Submit(2, 40, 5);
  EXPECT_EQ(cluster.Submit(3, 40, 5).code, "queue_full");
  EXPECT_EQ(first.ends + second.ends, 0);
  cluster.Say(cluster.decode(0), MessageOf(LoadOf(2, 1000)));
  cluster.RunToTheEnd(50);
  EXPECT_EQ(first.tokens.size(), 5U);
  EXPECT_EQ(second.tokens.size(), 5U);
}

TEST(RouterCoreTest, AnEndedRequestNoLongerCountsAsBacklog) {
  RouterOptions options = OptionsOf();
  options.backlog_max = Milliseconds(1);
  FakeCluster cluster(options, 1, 1);
  for (std::uint64_t i = 1; i <= 3; ++i) cluster.Submit(i, 1000, 2);
  EXPECT_EQ(JobsAt(cluster.prefill(0)), 1);
  EXPECT_EQ(cluster.core().Stats(cluster.now()).queued_requests, 2);
  cluster.RunToTheEnd(100);
  for (const auto& [id, heard] : cluster.heard()) EXPECT_EQ(heard.tokens.size(), 2U);
}

TEST(RouterCoreTest, WaitingEndsAtTheQueuesBound) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  for (FakeWorker& worker : cluster.workers()) cluster.Say(worker, MessageOf(LoadOf(1, 0)));
  const Heard& heard = cluster.Submit(1, 40, 5);
  for (int second = 1; second <= 31; ++second) {  // heartbeats keep both alive
    cluster.Wait(std::chrono::seconds(1));
    for (FakeWorker& worker : cluster.workers()) {
      cluster.Say(worker, MessageOf(LoadOf(1 + static_cast<std::uint64_t>(second), 0)));
    }
  }
  EXPECT_EQ(heard.ends, 1);
  EXPECT_EQ(heard.code, "deadline");
}

TEST(RouterCoreTest, APromptThatNoPoolHoldsIsTheClientsError) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  EXPECT_EQ(cluster.Submit(1, 1000 * kTestPageTokens, 5).code, "context_length_exceeded");
}

TEST(RouterCoreTest, ADrainingWorkerGetsNothingNew) {
  FakeCluster cluster(OptionsOf(), 1, 2);
  link::Load load = LoadOf(1);
  load.set_draining(true);
  cluster.Say(cluster.decode(0), MessageOf(load));
  for (std::uint64_t i = 1; i <= 4; ++i) cluster.Submit(i, 40, 5);
  EXPECT_EQ(JobsAt(cluster.decode(0)), 0);
  EXPECT_EQ(JobsAt(cluster.decode(1)), 4);
}

TEST(RouterCoreTest, ADrainingRouterRefusesAndFinishes) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  const Heard& heard = cluster.Submit(1, 40, 5);
  cluster.core().StartDrain();
  EXPECT_EQ(cluster.Submit(2, 40, 5).code, "draining");
  EXPECT_FALSE(cluster.core().Drained());
  EXPECT_FALSE(cluster.core().Ready(cluster.now()));
  cluster.RunToTheEnd(50);
  EXPECT_EQ(heard.tokens.size(), 5U);
  EXPECT_TRUE(cluster.core().Drained());
}

TEST(RouterCoreTest, ACancelReachesBothWorkers) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  const Heard& heard = cluster.Submit(1, 40, 5);
  cluster.core().Cancel({0, 1}, false);
  cluster.Wait(Milliseconds(1));
  EXPECT_EQ(heard.status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(JobsAt(cluster.prefill(0)) + JobsAt(cluster.decode(0)), 0);
}

TEST(RouterCoreTest, ASilentWorkerIsLostAtItsTimeToLive) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  cluster.Wait(OptionsOf().worker_ttl);
  EXPECT_TRUE(cluster.core().Stats(cluster.now()).workers.empty());
  EXPECT_THAT(cluster.transcript(), HasSubstr("silent"));
}

TEST(RouterCoreTest, AWorkerThatRegistersAnewReplacesItsOldLink) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  const Heard& heard = cluster.Submit(1, 40, 5);
  cluster.decode(0).jobs.clear();
  cluster.Wait(OptionsOf().heartbeat + Milliseconds(1));
  cluster.Up(cluster.decode(0));  // before its old stream was seen to break
  cluster.RunToTheEnd(50);
  EXPECT_EQ(heard.tokens.size(), 5U);
  EXPECT_EQ(cluster.core().Stats(cluster.now()).workers.at("decode ready"), 1);
}

TEST(RouterCoreTest, AWorkerWhoseIdALiveOneHasIsRefused) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  RouterCore& core = cluster.core();
  core.TakeNotes();
  core.OnLinkUp(LinkId{77}, RegisterOf("decode-0", link::ROLE_DECODE, 9), cluster.now());
  const std::vector<RouterOutput> outputs = core.TakeOutputs();
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].link, LinkId{77});
  EXPECT_THAT(outputs[0].message.refused().message(), HasSubstr("server.worker_id"));
  const std::vector<RouterNote> notes = core.TakeNotes();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_TRUE(notes[0].degraded);
  const Heard& heard = cluster.Submit(1, 40, 5);  // the first one serves on
  cluster.RunToTheEnd(50);
  EXPECT_EQ(heard.tokens.size(), 5U);
}

TEST(RouterCoreTest, AWorkerThatDrainedAndLeftIsNotLost) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  RouterCore& core = cluster.core();
  core.TakeNotes();
  link::WorkerMessage load;
  load.mutable_load()->set_number(1);
  load.mutable_load()->set_draining(true);
  cluster.Say(cluster.decode(0), load);
  cluster.Down(cluster.decode(0));
  cluster.Down(cluster.prefill(0));
  const std::vector<RouterNote> notes = core.TakeNotes();
  ASSERT_EQ(notes.size(), 3U);
  EXPECT_EQ(notes[1].text, "decode worker decode-0 left");
  EXPECT_FALSE(notes[1].degraded);
  EXPECT_EQ(notes[2].text, "prefill worker prefill-0 is lost: its stream broke");
  EXPECT_TRUE(notes[2].degraded);
}

TEST(RouterCoreTest, AnIdIsLiveOnce) {
  FakeCluster cluster(OptionsOf(), 1, 1);
  Heard second;
  Request request;
  request.id = {0, 1};
  request.prompt = {1};
  request.stop.max_tokens = 1;
  const Heard& first = cluster.Submit(request);
  cluster.core().Submit(request, Hearing(second), cluster.now());
  EXPECT_EQ(second.ends, 1);
  EXPECT_EQ(first.ends, 0);
}

// Submits, cancels, kills, restarts, failures, replays and waits, drawn from a seed; afterwards
// everything heals. Each request ends once, and every token is the oracle's.
class ChaosTest : public ::testing::TestWithParam<std::uint64_t> {};

std::string RunChaos(std::uint64_t seed) {
  FakeCluster cluster(OptionsOf(seed), 2, 2);
  std::mt19937_64 random(seed);
  std::vector<std::pair<LinkId, link::WorkerMessage>> old;
  std::uint64_t submitted = 0;
  for (int step = 0; step < 1500; ++step) {
    FakeWorker& worker = cluster.workers()[random() % cluster.workers().size()];
    switch (random() % 12) {
      case 0:
        cluster.Submit(++submitted, 1 + static_cast<int>(random() % 100),
                       1 + static_cast<int>(random() % 12));
        break;
      case 1:
        if (submitted > 0 && random() % 4 == 0) {
          cluster.core().Cancel({0, 1 + random() % submitted}, false);
        }
        break;
      case 2:
        if (random() % 4 == 0 && worker.up) cluster.Down(worker);
        break;
      case 3:
        if (!worker.up) cluster.Up(worker);
        break;
      case 4: {
        if (worker.jobs.empty() || random() % 3 != 0) break;
        const auto [id, attempt] = worker.jobs.begin()->first;
        worker.jobs.erase(worker.jobs.begin());
        const auto reason = static_cast<link::FailReason>(1 + random() % 9);
        const auto message = MessageOf(FailedOf(id, attempt, reason, random() % 4 != 0));
        old.emplace_back(worker.link, message);
        cluster.Say(worker, message);
        break;
      }
      case 5:
        if (!old.empty()) {  // a message from the past
          const auto& [link, message] = old[random() % old.size()];
          cluster.core().OnMessage(link, message, cluster.now());
        }
        break;
      case 6:
        cluster.Wait(Milliseconds(static_cast<std::int64_t>(random() % 300)));
        break;
      default:
        if (!worker.jobs.empty()) {
          auto job = worker.jobs.begin();
          std::advance(job, static_cast<std::ptrdiff_t>(random() % worker.jobs.size()));
          const auto key = job->first;
          cluster.Advance(worker, key);
        }
    }
  }
  for (FakeWorker& worker : cluster.workers()) {
    if (!worker.up) cluster.Up(worker);
  }
  cluster.RunToTheEnd(1000);
  EXPECT_GT(submitted, 50U);
  std::size_t finished = 0;
  for (const auto& [id, heard] : cluster.heard()) {
    EXPECT_EQ(heard.ends, 1) << "request " << id.low;
    EXPECT_FALSE(heard.after_end);
    EXPECT_TRUE(heard.status.ok() || !heard.code.empty());
    finished += heard.status.ok() ? 1 : 0;
    ExpectOracle(id, heard);
  }
  EXPECT_GT(finished, submitted / 4);
  // Nobody works for a request that has ended.
  cluster.Wait(Milliseconds(1));
  for (const FakeWorker& worker : cluster.workers()) EXPECT_TRUE(worker.jobs.empty()) << worker.id;
  const RouterStats stats = cluster.core().Stats(cluster.now());
  EXPECT_EQ(stats.live_requests, 0);
  EXPECT_EQ(stats.queued_requests, 0);
  return cluster.transcript();
}

TEST_P(ChaosTest, EveryRequestEndsOnceWithTheRightTokens) { RunChaos(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Seeds, ChaosTest, ::testing::Range<std::uint64_t>(1, 41));

TEST(ChaosReplayTest, TheSameSeedGivesTheSameRun) {
  EXPECT_EQ(RunChaos(99), RunChaos(99));
  EXPECT_NE(RunChaos(99), RunChaos(98));
}

}  // namespace
}  // namespace baton
