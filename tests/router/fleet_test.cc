#include "router/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/router/messages.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

constexpr LinkId kLink{1};
constexpr Duration kHeartbeat = std::chrono::seconds(5);
constexpr Instant kNow{std::chrono::hours(1)};

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
  const double sent = QueueSeconds(worker, 8192, kNow);
  EXPECT_GT(sent, 0);
  EXPECT_EQ(RoomPages(worker), 937U);

  link::Load early;  // on its way before the job arrived
  early.set_number(1);
  early.set_free_pages(1000);
  fleet.OnLoad(worker, early, kNow);
  EXPECT_DOUBLE_EQ(QueueSeconds(worker, 8192, kNow), sent);

  fleet.OnAccepted(kLink, id);
  link::Load later = early;
  later.set_number(2);
  later.set_queue_requests(1);
  later.set_queue_tokens(1000);
  fleet.OnLoad(worker, later, kNow);
  EXPECT_NEAR(QueueSeconds(worker, 8192, kNow), sent, 1e-9);
  EXPECT_EQ(RoomPages(worker), 1000U);
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
  EXPECT_NEAR(QueueSeconds(worker, 8192, kNow), 1.0, 1e-9);
  EXPECT_NEAR(QueueSeconds(worker, 8192, kNow + Milliseconds(400)), 0.6, 1e-9);
  EXPECT_EQ(QueueSeconds(worker, 8192, kNow + std::chrono::seconds(2)), 0);
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

}  // namespace
}  // namespace baton
