#include "router/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/worker_row.h"
#include "tests/router/messages.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

constexpr LinkId kLink{1};
constexpr Duration kHeartbeat = std::chrono::seconds(5);
constexpr Instant kNow{std::chrono::hours(1)};

double Queue(const Worker& worker, Instant now) {
  return QueueSeconds(RowOf(worker, StepCostOf(worker), 8192), now);
}

std::string MessageFor(const Fleet& fleet, const link::Register& facts) {
  return std::string(fleet.Check(facts).message());
}

TEST(FleetTest, AWorkerThatDiffersIsRefusedByTheFieldsName) {
  Fleet fleet(kHeartbeat);
  fleet.Add(kLink, RegisterOf("prefill-0", link::ROLE_PREFILL), kNow);
  link::Register dtype = RegisterOf("decode-0", link::ROLE_DECODE);
  dtype.mutable_layout_fields(0)->set_value("fp32");
  dtype.set_layout_fingerprint(std::string(16, 'g'));
  EXPECT_THAT(MessageFor(fleet, dtype), HasSubstr("kv_dtype: mine fp32, yours bf16"));

  link::Register hidden = RegisterOf("decode-0", link::ROLE_DECODE);
  hidden.set_layout_fingerprint(std::string(16, 'g'));
  EXPECT_THAT(MessageFor(fleet, hidden), HasSubstr("layout_fingerprint"));

  link::Register vocabulary = RegisterOf("decode-0", link::ROLE_DECODE);
  vocabulary.mutable_model()->set_vocab_size(259);
  EXPECT_THAT(MessageFor(fleet, vocabulary), HasSubstr("model.vocab_size"));

  link::Register name = RegisterOf("decode-0", link::ROLE_DECODE);
  name.mutable_model()->set_name("other");
  EXPECT_THAT(MessageFor(fleet, name), HasSubstr("model.name"));

  link::Register ends = RegisterOf("decode-0", link::ROLE_DECODE);
  ends.mutable_model()->add_end_tokens(1);
  EXPECT_THAT(MessageFor(fleet, ends), HasSubstr("model.end_tokens"));

  link::Register page = RegisterOf("decode-0", link::ROLE_DECODE);
  page.set_page_tokens(32);
  EXPECT_THAT(MessageFor(fleet, page), HasSubstr("page_tokens"));

  link::Register keys = RegisterOf("decode-0", link::ROLE_DECODE);
  keys.set_key_namespace("other");
  EXPECT_THAT(MessageFor(fleet, keys), HasSubstr("key_namespace"));

  EXPECT_TRUE(fleet.Check(RegisterOf("decode-0", link::ROLE_DECODE)).ok());
}

TEST(FleetTest, AWorkerOfAnotherModelThanTheRoutersIsRefused) {
  link::Register facts = RegisterOf("decode-0", link::ROLE_DECODE);
  facts.mutable_model()->set_ids_with_text(250);
  const auto message = [&facts](const ExpectedModel& expected) {
    return MessageFor(Fleet(kHeartbeat, expected), facts);
  };
  EXPECT_EQ(message({}), "");
  EXPECT_EQ(message({"recall", 250, true}), "");
  EXPECT_EQ(message({"recall", 200, false}), "");  // another tokenizer, as asked for
  EXPECT_EQ(message({"recall", 0, false}), "");    // token ids alone
  EXPECT_THAT(message({"v2_lite", 250, true}), HasSubstr("serves the model recall, and this router "
                                                         "speaks for v2_lite"));
  EXPECT_THAT(message({"recall", 251, false}), HasSubstr("of 250 token ids"));
  EXPECT_THAT(message({"recall", 200, true}), HasSubstr("not the same model"));
  facts.mutable_model()->set_ids_with_text(258);  // it has no tokenizer beside its weights
  EXPECT_EQ(message({"recall", 200, true}), "");
}

TEST(FleetTest, AMisshapenRegistrationIsRefused) {
  const Fleet fleet(kHeartbeat);
  const auto broken = [](auto change) {
    link::Register facts = RegisterOf("decode-0", link::ROLE_DECODE);
    change(facts);
    return facts;
  };
  const std::vector<link::Register> all = {
      broken([](auto& facts) { facts.set_worker_id(""); }),
      broken([](auto& facts) { facts.set_worker_id(std::string(257, 'x')); }),
      broken([](auto& facts) { facts.set_incarnation(0); }),
      broken([](auto& facts) { facts.set_role(link::ROLE_UNSPECIFIED); }),
      broken([](auto& facts) { facts.set_layout_fingerprint("short"); }),
      broken([](auto& facts) { facts.set_transfer_address(std::string(4097, 'x')); }),
      broken([](auto& facts) { facts.set_page_tokens(0); }),
      broken([](auto& facts) { facts.mutable_model()->set_vocab_size(0); })};
  for (const link::Register& facts : all) {
    EXPECT_EQ(fleet.Check(facts).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(FleetTest, ALoneWorkerMayComeBackWithAnotherModel) {
  Fleet fleet(kHeartbeat);
  fleet.Add(kLink, RegisterOf("decode-0", link::ROLE_DECODE), kNow);
  link::Register facts = RegisterOf("decode-0", link::ROLE_DECODE, 2);
  facts.mutable_model()->set_name("other");
  EXPECT_TRUE(fleet.Check(facts).ok());
}

TEST(FleetTest, ASilentWorkerIsSuspectAndADrainingOneDrains) {
  Fleet fleet(kHeartbeat);
  Worker& worker = fleet.Add(kLink, RegisterOf("decode-0", link::ROLE_DECODE), kNow);
  EXPECT_EQ(fleet.StateOf(worker, kNow + 2 * kHeartbeat), WorkerState::kReady);
  EXPECT_EQ(fleet.StateOf(worker, kNow + 2 * kHeartbeat + Duration(1)), WorkerState::kSuspect);
  link::Load load;
  load.set_number(1);
  load.set_draining(true);
  fleet.OnLoad(worker, load, kNow);
  EXPECT_EQ(fleet.StateOf(worker, kNow), WorkerState::kDraining);
}

TEST(FleetTest, SentWorkCountsUntilTheWorkersStatementHoldsIt) {
  Fleet fleet(kHeartbeat);
  Worker& worker = fleet.Add(kLink, RegisterOf("prefill-0", link::ROLE_PREFILL), kNow);
  const RequestId id{1, 2};
  fleet.OnSent(worker, id, {.prompt_tokens = 1000, .context_tokens = 1000, .pages = 63}, kNow);
  const double sent = Queue(worker, kNow);
  EXPECT_GT(sent, 0);
  EXPECT_EQ(RoomPages(worker), 937U);

  link::Load early;  // on its way before the job arrived
  early.set_number(1);
  early.set_free_pages(1000);
  fleet.OnLoad(worker, early, kNow);
  EXPECT_DOUBLE_EQ(Queue(worker, kNow), sent);

  fleet.OnAccepted(kLink, id);
  link::Load later = early;
  later.set_number(2);
  later.set_queue_requests(1);
  later.set_queue_tokens(1000);
  fleet.OnLoad(worker, later, kNow);
  EXPECT_NEAR(Queue(worker, kNow), sent, 1e-9);
  EXPECT_EQ(RoomPages(worker), 1000U);
}

TEST(FleetTest, JobsThatAStatementHoldsCountOnce) {
  Fleet fleet(kHeartbeat);
  Worker& worker = fleet.Add(kLink, RegisterOf("prefill-0", link::ROLE_PREFILL), kNow);
  const SentWork work{.prompt_tokens = 1000, .context_tokens = 1000, .pages = 63};
  fleet.OnSent(worker, {0, 1}, work, kNow);
  fleet.OnSent(worker, {0, 2}, work, kNow);
  link::Load load;
  load.set_number(1);
  load.set_queue_requests(1);
  load.set_queue_tokens(1000);
  load.set_jobs_seen(1);
  fleet.OnLoad(worker, load, kNow);
  EXPECT_EQ(worker.sent.size(), 1U);  // the second was on its way
  load.set_number(2);
  load.set_jobs_seen(2);
  fleet.OnLoad(worker, load, kNow);
  EXPECT_TRUE(worker.sent.empty());
}

TEST(FleetTest, AnOlderStatementIsDropped) {
  Fleet fleet(kHeartbeat);
  Worker& worker = fleet.Add(kLink, RegisterOf("decode-0", link::ROLE_DECODE), kNow);
  link::Load load;
  load.set_number(5);
  load.set_free_pages(10);
  fleet.OnLoad(worker, load, kNow);
  load.set_number(4);
  load.set_free_pages(999);
  fleet.OnLoad(worker, load, kNow);
  EXPECT_EQ(RoomPages(worker), 10U);
}

TEST(FleetTest, AStatedBacklogFadesAsItIsComputed) {
  Fleet fleet(kHeartbeat);
  Worker& worker = fleet.Add(kLink, RegisterOf("prefill-0", link::ROLE_PREFILL), kNow);
  link::Load load;
  load.set_number(1);
  load.set_queue_requests(1);
  load.set_queue_tokens(1000);
  load.set_step_seconds_per_token(1e-3);
  fleet.OnLoad(worker, load, kNow);
  EXPECT_NEAR(Queue(worker, kNow), 1.0, 1e-9);
  EXPECT_NEAR(Queue(worker, kNow + Milliseconds(400)), 0.6, 1e-9);
  EXPECT_EQ(Queue(worker, kNow + std::chrono::seconds(2)), 0);
}

TEST(FleetTest, CoefficientsThatNoFitGivesAreNotBelieved) {
  Fleet fleet(kHeartbeat);
  Worker& worker = fleet.Add(kLink, RegisterOf("prefill-0", link::ROLE_PREFILL), kNow);
  link::Load load;
  load.set_number(1);
  load.set_step_seconds_per_token(-1);
  load.set_step_seconds_fixed(std::numeric_limits<double>::quiet_NaN());
  load.set_step_seconds_per_pair(std::numeric_limits<double>::infinity());
  load.set_step_seconds_per_sequence(1e-4);
  fleet.OnLoad(worker, load, kNow);
  const StepCost cost = StepCostOf(worker);
  EXPECT_EQ(cost, (StepCost{.fixed = 0, .per_token = 0, .per_pair = 0, .per_sequence = 1e-4}));
}

link::Load CostLoad(double per_sequence, double scatter) {
  link::Load load;
  load.set_number(1);
  load.set_step_seconds_fixed(1e-3);
  load.set_step_seconds_per_sequence(per_sequence);
  load.set_step_residual_ratio(scatter);
  return load;
}

TEST(FleetTest, ADifferenceThatScatterExplainsIsNone) {
  Fleet fleet(kHeartbeat);
  Worker& one = fleet.Add(LinkId{1}, RegisterOf("decode-0", link::ROLE_DECODE), kNow);
  Worker& other = fleet.Add(LinkId{2}, RegisterOf("decode-1", link::ROLE_DECODE), kNow);
  fleet.OnLoad(one, CostLoad(1.0e-3, 0.5), kNow);
  EXPECT_EQ(fleet.CostOf(one), StepCostOf(one));  // nobody to compare it with
  fleet.OnLoad(other, CostLoad(1.2e-3, 0.5), kNow);
  const double stated = StepCostOf(other).per_sequence - StepCostOf(one).per_sequence;
  const double told = fleet.CostOf(other).per_sequence - fleet.CostOf(one).per_sequence;
  EXPECT_GT(told, 0);
  EXPECT_LT(told, 0.1 * stated);

  // The same difference, of steps that hardly scatter.
  fleet.OnLoad(one, CostLoad(1.0e-3, 0.01), kNow);
  fleet.OnLoad(other, CostLoad(1.2e-3, 0.01), kNow);
  EXPECT_NEAR(fleet.CostOf(other).per_sequence, 1.2e-3, 0.02e-3);
  EXPECT_EQ(StepCostOf(other).per_sequence, 1.2e-3);
}

TEST(FleetTest, ACostThatNoStepHasShownIsHardlyBelieved) {
  Fleet fleet(kHeartbeat);
  Worker& one = fleet.Add(LinkId{1}, RegisterOf("decode-0", link::ROLE_DECODE), kNow);
  Worker& other = fleet.Add(LinkId{2}, RegisterOf("decode-1", link::ROLE_DECODE), kNow);
  fleet.OnLoad(one, CostLoad(1.0e-3, 0.1), kNow);
  fleet.OnLoad(other, CostLoad(1.3e-3, 0), kNow);
  EXPECT_NEAR(fleet.CostOf(one).per_sequence, fleet.CostOf(other).per_sequence, 0.03e-3);
}

TEST(FleetTest, AWorkerThatLeftNoLongerCountsInTheMean) {
  Fleet fleet(kHeartbeat);
  Worker& one = fleet.Add(LinkId{1}, RegisterOf("decode-0", link::ROLE_DECODE), kNow);
  Worker& other = fleet.Add(LinkId{2}, RegisterOf("decode-1", link::ROLE_DECODE), kNow);
  fleet.OnLoad(one, CostLoad(1e-3, 0.5), kNow);
  fleet.OnLoad(other, CostLoad(9e-3, 0.5), kNow);
  fleet.Remove(LinkId{2});
  EXPECT_EQ(fleet.CostOf(one), StepCostOf(one));
}

}  // namespace
}  // namespace baton
