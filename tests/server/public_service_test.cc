// The public gRPC door over a real channel: the same answers and refusals as HTTP gives.
#include "server/public_service.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/baton_public.grpc.pb.h"
#include "server/text/byte_tokenizer.h"
#include "server/text/chat_format.h"
#include "tests/server/scripted_gateway.h"

namespace baton::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr auto kPatience = std::chrono::seconds(5);

struct Streamed {
  std::vector<v1::GenerateEvent> events;
  grpc::Status status;
  std::string code;
  std::string param;
  std::string timing;
};

class PublicServiceTest : public ::testing::Test {
 protected:
  void Start(ScriptedGateway::Script script, int calls_max = 16) {
    gateway_.SetScript(std::move(script));
    PublicService::Options options;
    options.calls_max = calls_max;
    ModelConfig model;
    model.path = "builtin:recall";
    chat_ = *ChatFormat::Load(model, {});
    options.api.chat = &*chat_;
    service_ = *PublicService::Start(options, gateway_, *tokenizer_, texts_, metrics_);
    stub_ = v1::Inference::NewStub(grpc::CreateChannel(absl::StrCat("127.0.0.1:", service_->port()),
                                                       grpc::InsecureChannelCredentials()));
  }

  void TearDown() override {
    if (service_ != nullptr) service_->Stop();
    gateway_.RunOnRouteThread([this] { gateway_.live.clear(); });
  }

  Streamed Generate(const v1::GenerateRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    Streamed streamed;
    auto reader = stub_->Generate(&context, request);
    v1::GenerateEvent event;
    while (reader->Read(&event)) streamed.events.push_back(event);
    streamed.status = reader->Finish();
    for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
      const std::string text(value.data(), value.size());
      if (key == "baton-error-code") streamed.code = text;
      if (key == "baton-error-param") streamed.param = text;
      if (key == "server-timing") streamed.timing = text;
    }
    return streamed;
  }

  /// grpc.health.v1.Health/Check, written by hand: the status number, or the call's error negated.
  int Health(const std::string& service) {
    const std::string bytes =
        service.empty() ? "" : absl::StrCat("\x0a", std::string(1, char(service.size())), service);
    grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::GenericStub stub(grpc::CreateChannel(absl::StrCat("127.0.0.1:", service_->port()),
                                               grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    grpc::CompletionQueue queue;
    auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
    grpc::ByteBuffer response;
    grpc::Status status;
    call->StartCall();
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kPatience);
    if (!status.ok()) return -status.error_code();
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(response.Dump(&slices).ok());
    return slices.empty() || slices[0].size() < 2 ? 0 : slices[0].begin()[1];
  }

  ScriptedGateway::Script Keep() {
    return [this](const Request& request, std::unique_ptr<ResponseObserver> observer) {
      gateway_.live[request.id] = std::move(observer);
    };
  }

  ScriptedGateway gateway_;
  Metrics metrics_{{{"model_name", "recall"}, {"engine", "0"}}};
  std::unique_ptr<Tokenizer> tokenizer_ = std::make_unique<ByteTokenizer>();
  std::optional<ChatFormat> chat_;
  TextThreads texts_{1};
  std::unique_ptr<PublicService> service_;
  std::unique_ptr<v1::Inference::Stub> stub_;
};

TEST_F(PublicServiceTest, StreamsOneEventATokenThenTheUsage) {
  Start(AnswersWith("ab"));
  v1::GenerateRequest request;
  request.set_text("x");
  request.set_max_tokens(2);
  request.set_logprobs(1);
  request.set_temperature(0);
  const Streamed got = Generate(request);
  ASSERT_TRUE(got.status.ok()) << got.status.error_message();
  ASSERT_THAT(got.events, SizeIs(3));
  EXPECT_EQ(got.events[0].token().text(), "a");
  EXPECT_EQ(got.events[0].token().token_id(), 'a');
  EXPECT_EQ(got.events[0].token().top_logprobs_size(), 1);
  EXPECT_EQ(got.events[1].token().finish_reason(), v1::FINISH_REASON_LENGTH);
  EXPECT_EQ(got.events[2].finished().prompt_tokens(), 2);
  EXPECT_EQ(got.events[2].finished().cached_tokens(), 64);
  EXPECT_THAT(got.timing, HasSubstr("exposed;dur=1.5,"));
  EXPECT_EQ(gateway_.requests().at(0).sampling.temperature, 0.0F);
}

TEST_F(PublicServiceTest, ThePromptsLogprobsComeBeforeTheAnswerInEventsOfABoundedSize) {
  Start(AnswersWith("a"));
  v1::GenerateRequest request;
  request.set_text(std::string(2500, 'x'));
  request.set_max_tokens(1);
  request.set_prompt_logprobs(2);
  const Streamed got = Generate(request);
  ASSERT_TRUE(got.status.ok()) << got.status.error_message();
  ASSERT_THAT(got.events, SizeIs(5));
  const std::vector<PromptLogprob> wanted = MadeUpPrompt(gateway_.requests().at(0));
  std::size_t next = 0;
  for (int i = 0; i < 3; ++i) {
    const v1::PromptLogprobs& told = got.events[static_cast<std::size_t>(i)].prompt();
    EXPECT_EQ(told.first_position(), next + 1);
    EXPECT_LE(told.tokens_size(), 1000);
    for (const v1::PromptLogprob& token : told.tokens()) {
      EXPECT_EQ(token.token_id(), wanted[next].token);
      EXPECT_EQ(token.logprob(), wanted[next].logprob);
      EXPECT_EQ(token.rank(), 2);
      EXPECT_EQ(token.top_logprobs_size(), 2);
      ++next;
    }
  }
  EXPECT_EQ(next, wanted.size());
  EXPECT_EQ(got.events[3].token().text(), "a");
  request.set_prompt_logprobs(21);
  EXPECT_EQ(Generate(request).param, "prompt_logprobs");
}

TEST_F(PublicServiceTest, TakesChatAndTokenIdsAndAppliesStops) {
  Start(AnswersWith("one;two"));
  v1::GenerateRequest chat;
  v1::ChatMessage& message = *chat.mutable_chat()->add_messages();
  message.set_role("user");
  message.set_content("hi");
  chat.add_stop(";");
  const Streamed got = Generate(chat);
  ASSERT_TRUE(got.status.ok());
  std::string text;
  for (const auto& event : got.events) text += event.token().text();
  EXPECT_EQ(text, "one");
  EXPECT_EQ(got.events.at(3).token().stop_string(), ";");
  EXPECT_EQ(gateway_.WaitForCancels(1), 1U);
  v1::GenerateRequest ids;
  ids.mutable_token_ids()->add_ids(7);
  ids.set_max_tokens(1);
  EXPECT_TRUE(Generate(ids).status.ok());
  EXPECT_EQ(gateway_.requests().at(1).prompt, std::vector<TokenId>{7});
}

TEST_F(PublicServiceTest, RefusesAsHttpDoesAndNamesTheField) {
  Start(AnswersWith("a"));
  v1::GenerateRequest request;
  EXPECT_EQ(Generate(request).param, "prompt");
  request.set_text("x");
  request.set_temperature(3);
  Streamed got = Generate(request);
  EXPECT_EQ(got.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(got.param, "temperature");
  request.set_temperature(1);
  request.set_model("other");
  got = Generate(request);
  EXPECT_EQ(got.status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(got.code, "model_not_found");
  v1::GenerateRequest longer;
  for (int i = 0; i < 8192; ++i) longer.mutable_token_ids()->add_ids(1);
  got = Generate(longer);
  EXPECT_EQ(got.code, "context_length_exceeded");
  EXPECT_THAT(got.status.error_message(), HasSubstr("maximum context length is 8192 tokens"));
}

TEST_F(PublicServiceTest, TheRoutersFailureIsTheCallsStatus) {
  Start([](const Request& request, std::unique_ptr<ResponseObserver> observer) {
    observer->OnTokens({ByteToken('a', request.sampling)});
    observer->OnFailed(absl::UnavailableError("the decode worker was lost"), "no_worker");
  });
  v1::GenerateRequest request;
  request.set_text("x");
  const Streamed got = Generate(request);
  EXPECT_THAT(got.events, SizeIs(1));
  EXPECT_EQ(got.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(got.code, "no_worker");
}

TEST_F(PublicServiceTest, ACancelledCallCancelsItsRequests) {
  Start(Keep());
  grpc::ClientContext context;
  v1::GenerateRequest request;
  request.set_text("x");
  request.set_n(2);
  auto reader = stub_->Generate(&context, request);
  ASSERT_EQ(gateway_.WaitForRequests(2), 2U);
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(gateway_.WaitForCancels(2), 2U);
}

TEST_F(PublicServiceTest, TheCallsDeadlineIsTheRequests) {
  Start(Keep());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  v1::GenerateRequest request;
  request.set_text("x");
  auto reader = stub_->Generate(&context, request);
  ASSERT_EQ(gateway_.WaitForRequests(1), 1U);
  // The wire carries what is left, rounded up, and counts from the arrival: some milliseconds more.
  EXPECT_LE(gateway_.requests().at(0).time_left, Milliseconds(310));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(gateway_.WaitForCancels(1), 1U);
}

TEST_F(PublicServiceTest, MoreCallsThanAllowedAreRefused) {
  Start(Keep(), 1);
  grpc::ClientContext context;
  v1::GenerateRequest request;
  request.set_text("x");
  auto first = stub_->Generate(&context, request);
  ASSERT_EQ(gateway_.WaitForRequests(1), 1U);
  EXPECT_EQ(Generate(request).code, "queue_full");
  context.TryCancel();
  first->Finish();
}

/// Holds a text thread until it is let go. It may outlive the case that made it: all that it needs
/// is its own.
class Holding final : public TextJob {
 public:
  explicit Holding(std::future<void> go) : go_(std::move(go)) {}
  std::future<void> holds() { return holds_.get_future(); }
  void Work() override {
    holds_.set_value();
    go_.wait_for(kPatience);
  }
  void Done() override {}

 private:
  std::future<void> go_;
  std::promise<void> holds_;
};

// The one queue of both doors: what is small does not wait behind what is large.
TEST_F(PublicServiceTest, LargeInputsWaitForATextThreadAndSmallOnesDoNot) {
  Start(AnswersWith("a"));
  std::promise<void> go;
  const auto finish = [this](std::uint64_t number) { texts_.Finish(number); };
  auto holding = std::make_unique<Holding>(go.get_future());
  const std::future<void> holds = holding->holds();
  std::unique_ptr<TextJob> job = std::move(holding);
  ASSERT_TRUE(texts_.TryRun(job, finish));
  ASSERT_EQ(holds.wait_for(kPatience), std::future_status::ready);

  const std::string large(20'000, 'x');
  std::atomic<bool> read{false};
  std::jthread waits([&] {
    grpc::ClientContext context;
    v1::TokenizeRequest request;
    request.set_text(large);
    v1::TokenizeResponse response;
    EXPECT_TRUE(stub_->Tokenize(&context, request, &response).ok());
    EXPECT_EQ(response.token_ids_size(), 20'001);
    read = true;
  });
  v1::GenerateRequest small;
  small.set_text("x");
  small.set_max_tokens(1);
  EXPECT_TRUE(Generate(small).status.ok());
  EXPECT_FALSE(read);
  go.set_value();
  waits.join();
  v1::GenerateRequest whole;
  whole.set_text(std::string(8000, 'x') + std::string(9000, ' '));
  EXPECT_EQ(Generate(whole).code, "context_length_exceeded");
}

TEST_F(PublicServiceTest, AFullQueueOfTextsRefusesLargeInputsAlone) {
  Start(AnswersWith("a"));
  std::promise<void> go;
  const auto finish = [this](std::uint64_t number) { texts_.Finish(number); };
  std::unique_ptr<TextJob> job = std::make_unique<Holding>(go.get_future());
  ASSERT_TRUE(texts_.TryRun(job, finish));
  while (!texts_.full()) {
    std::promise<void> at_once;
    at_once.set_value();
    job = std::make_unique<Holding>(at_once.get_future());
    ASSERT_TRUE(texts_.TryRun(job, finish));
  }
  v1::GenerateRequest request;
  request.set_max_tokens(1);
  request.set_text(std::string(20'000, 'x'));
  EXPECT_EQ(Generate(request).code, "queue_full");
  request.set_text("x");
  EXPECT_TRUE(Generate(request).status.ok());
  go.set_value();
}

TEST_F(PublicServiceTest, TokenizeDetokenizeAndModelsAnswer) {
  Start(AnswersWith("a"));
  grpc::ClientContext tokenize_context;
  v1::TokenizeRequest tokenize;
  v1::TokenizeResponse tokens;
  tokenize.set_text("ab");
  ASSERT_TRUE(stub_->Tokenize(&tokenize_context, tokenize, &tokens).ok());
  EXPECT_THAT(tokens.token_ids(), ::testing::ElementsAre(256, 'a', 'b'));
  grpc::ClientContext detokenize_context;
  v1::DetokenizeRequest detokenize;
  v1::DetokenizeResponse text;
  detokenize.add_token_ids('z');
  ASSERT_TRUE(stub_->Detokenize(&detokenize_context, detokenize, &text).ok());
  EXPECT_EQ(text.text(), "z");
  grpc::ClientContext models_context;
  v1::ListModelsResponse models;
  ASSERT_TRUE(stub_->ListModels(&models_context, {}, &models).ok());
  ASSERT_EQ(models.models_size(), 1);
  EXPECT_EQ(models.models(0).length_tokens_max(), 8192);
}

TEST_F(PublicServiceTest, HealthTellsLifeFromReadiness) {
  constexpr int kServing = 1;
  constexpr int kNotServing = 2;
  Start(AnswersWith("a"));
  EXPECT_EQ(Health(""), kServing);
  EXPECT_EQ(Health("baton.v1.Inference"), kNotServing);
  service_->SetReady(true);
  EXPECT_EQ(Health("baton.v1.Inference"), kServing);
  EXPECT_EQ(Health("readiness"), kServing);
  EXPECT_EQ(Health("other"), -static_cast<int>(grpc::StatusCode::NOT_FOUND));
}

}  // namespace
}  // namespace baton::testing
