#include "prefill/prefill_scheduler.h"

#include "gtest/gtest.h"

namespace baton {
namespace {

PrefillScheduler Make(int step_tokens_max, int sequences_max = 16) {
  return PrefillScheduler(
      {.step_tokens_max = step_tokens_max, .sequences_max = sequences_max, .page_tokens = 64});
}

void BeginAll(PrefillScheduler& scheduler) {
  while (scheduler.NextToBegin().has_value()) scheduler.Begin(0);
}

TEST(PrefillSchedulerTest, PlansNothingWhenNothingIsBegun) {
  PrefillScheduler scheduler = Make(64);
  EXPECT_TRUE(scheduler.Plan({}).empty());
  scheduler.Add(SequenceId{1}, 10);
  EXPECT_TRUE(scheduler.Plan({}).empty());
}

// A prompt of a chunk - 1, 0, + 1 and ten chunks and one.
TEST(PrefillSchedulerTest, ChunkEdges) {
  for (const int chunk : {64, 128, 512}) {
    for (const int length : {chunk - 1, chunk, chunk + 1, 10 * chunk + 1}) {
      PrefillScheduler scheduler = Make(chunk);
      scheduler.Add(SequenceId{1}, length);
      BeginAll(scheduler);
      int planned = 0;
      while (planned < length) {
        const std::vector<PromptChunk> chunks = scheduler.Plan({});
        ASSERT_EQ(chunks.size(), 1U);
        EXPECT_EQ(chunks[0].first, planned);
        EXPECT_LE(chunks[0].end - chunks[0].first, chunk);
        EXPECT_EQ(chunks[0].last, chunks[0].end == length);
        planned = chunks[0].end;
      }
      EXPECT_EQ(planned, length);
      EXPECT_TRUE(scheduler.Plan({}).empty());
    }
  }
}

TEST(PrefillSchedulerTest, FillsAStepWithThePromptsBehind) {
  PrefillScheduler scheduler = Make(128);
  scheduler.Add(SequenceId{1}, 100);
  scheduler.Add(SequenceId{2}, 20);
  scheduler.Add(SequenceId{3}, 20);
  BeginAll(scheduler);
  const std::vector<PromptChunk> chunks = scheduler.Plan({});
  const std::vector<PromptChunk> wanted = {{SequenceId{1}, 0, 100, true},
                                           {SequenceId{2}, 0, 20, true}};
  EXPECT_EQ(chunks, wanted);  // of the third, 8 tokens would not end at a page border
  BeginAll(scheduler);
  EXPECT_EQ(scheduler.Plan({}), (std::vector<PromptChunk>{{SequenceId{3}, 0, 20, true}}));
}

TEST(PrefillSchedulerTest, BeginsNoMoreThanAStepHolds) {
  PrefillScheduler scheduler = Make(64, 2);
  for (std::uint64_t i = 1; i <= 5; ++i) scheduler.Add(SequenceId{i}, 16);
  BeginAll(scheduler);
  EXPECT_EQ(scheduler.num_begun(), 2U);
  EXPECT_EQ(scheduler.num_waiting(), 3U);
  PrefillScheduler full = Make(64, 16);
  for (std::uint64_t i = 1; i <= 5; ++i) full.Add(SequenceId{i}, 63);
  BeginAll(full);
  EXPECT_EQ(full.num_begun(), 2U);
}

TEST(PrefillSchedulerTest, AStepIsBoundedByItsForecastTimeToo) {
  PrefillScheduler scheduler = Make(8192);
  const StepCost slow{.fixed = 0.01, .per_token = 1e-3, .per_pair = 1e-6};
  scheduler.Add(SequenceId{1}, 4000);
  scheduler.Add(SequenceId{2}, 4000);
  BeginAll(scheduler);
  int planned = 0;
  while (planned < 4000) {
    const std::vector<PromptChunk> chunks = scheduler.Plan(slow);
    StepShape shape;
    for (const PromptChunk& chunk : chunks) shape.AddRun(chunk.first, chunk.end - chunk.first);
    EXPECT_LE(slow.Seconds(shape), 0.5 + 64 * 5e-3);  // a page of a second prompt may begin
    ASSERT_EQ(chunks.front().sequence, SequenceId{1});
    planned = chunks.front().end;
  }
  const StepCost hopeless{.fixed = 10, .per_token = 1};
  EXPECT_EQ(scheduler.Plan(hopeless).front().end % 64, 0);  // a page at least: nothing stands still
}

TEST(PrefillSchedulerTest, CachedTokensAreNotPlanned) {
  PrefillScheduler scheduler = Make(64);
  scheduler.Add(SequenceId{1}, 130);
  scheduler.Begin(128);
  EXPECT_EQ(scheduler.Plan({}), (std::vector<PromptChunk>{{SequenceId{1}, 128, 130, true}}));
}

TEST(PrefillSchedulerTest, ARemovedPromptIsNotPlanned) {
  PrefillScheduler scheduler = Make(64);
  scheduler.Add(SequenceId{1}, 200);
  scheduler.Add(SequenceId{2}, 10);
  scheduler.Begin(0);
  scheduler.Plan({});
  scheduler.Remove(SequenceId{1});
  BeginAll(scheduler);
  EXPECT_EQ(scheduler.Plan({}), (std::vector<PromptChunk>{{SequenceId{2}, 0, 10, true}}));
  scheduler.Remove(SequenceId{2});  // harmless
}

}  // namespace
}  // namespace baton
