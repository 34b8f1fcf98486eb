// The OpenAI API end to end: real sockets, a scripted gateway on its own thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/server/api_fixture.h"

namespace baton::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ApiTest : public ApiFixture {
 protected:
  /// A script that keeps every observer, so that the test plays the router.
  ScriptedGateway::Script Keep() {
    return [this](const Request& request, std::unique_ptr<ResponseObserver> observer) {
      gateway_.live[request.id] = std::move(observer);
    };
  }

  void Answer(char byte) {
    gateway_.RunOnRouteThread([&] {
      for (auto& [id, observer] : gateway_.live) observer->OnTokens({ByteToken(byte, {})});
    });
  }

  void FailAll(const absl::Status& status, const std::string& code) {
    gateway_.RunOnRouteThread([&] {
      for (auto& [id, observer] : gateway_.live) observer->OnFailed(status, code);
      gateway_.live.clear();
    });
  }
};

TEST_F(ApiTest, ChatIsAnsweredWhole) {
  Start(AnswersWith("0937;"));
  const TestAnswer answer = Post(kChat, R"({"model":"recall","max_tokens":5,"messages":[
      {"role":"system","content":"kite=4821;"},{"role":"user","content":"moss="}]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(TextAt(answer.body, "object"), "\"chat.completion\"");
  EXPECT_EQ(TextAt(answer.body, "choices.0.message"),
            R"({"role":"assistant","content":"0937;","refusal":null})");
  EXPECT_EQ(TextAt(answer.body, "choices.0.finish_reason"), "\"length\"");
  EXPECT_EQ(TextAt(answer.body, "usage"),
            R"({"prompt_tokens":17,"completion_tokens":5,"total_tokens":22,)"
            R"("prompt_tokens_details":{"cached_tokens":64}})");
  const Request request = gateway_.requests().at(0);
  EXPECT_EQ(request.prompt.front(), 256);
  EXPECT_EQ(request.prompt.back(), '=');
  EXPECT_EQ(request.stop.max_tokens, 5);
}

TEST_F(ApiTest, ChatStreamsOneEventATokenRoleWithTheFirstReasonWithTheLast) {
  Start(AnswersWith("ab"));
  const TestAnswer answer = Post(kChat, R"({"model":"recall","max_tokens":2,"stream":true,
      "stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.headers.at("content-type"), "text/event-stream");
  const auto events = EventsOf(answer.body);
  ASSERT_THAT(events, SizeIs(4));
  EXPECT_EQ(TextAt(events[0], "choices"),
            R"([{"index":0,"delta":{"role":"assistant","content":"a"},"logprobs":null,)"
            R"("finish_reason":null}])");
  EXPECT_EQ(TextAt(events[0], "object"), "\"chat.completion.chunk\"");
  EXPECT_EQ(TextAt(events[1], "choices"),
            R"([{"index":0,"delta":{"content":"b"},"logprobs":null,"finish_reason":"length",)"
            R"("stop_reason":null}])");
  EXPECT_THAT(events[1], HasSubstr(R"("usage":null)"));
  EXPECT_EQ(TextAt(events[2], "choices"), "[]");
  EXPECT_EQ(TextAt(events[2], "usage.prompt_tokens_details.cached_tokens"), "64");
  EXPECT_EQ(TextAt(events[0], "id"), TextAt(events[2], "id"));
  EXPECT_EQ(events[3], "[DONE]");
}

TEST_F(ApiTest, ContinuousUsageCountsWithEachEvent) {
  Start(AnswersWith("ab"));
  const TestAnswer answer = Post(kCompletions, R"({"max_tokens":2,"stream":true,"prompt":"x",
      "stream_options":{"continuous_usage_stats":true},"return_token_ids":true})");
  const auto events = EventsOf(answer.body);
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(TextAt(events[0], "usage.completion_tokens"), "1");
  EXPECT_EQ(TextAt(events[0], "usage.prompt_tokens_details"), "null");
  EXPECT_EQ(TextAt(events[0], "choices.0.prompt_token_ids"), "[256,120]");
  EXPECT_EQ(TextAt(events[1], "choices.0.token_ids"), "[98]");
  EXPECT_EQ(TextAt(events[1], "usage.prompt_tokens_details.cached_tokens"), "64");
}

TEST_F(ApiTest, CompletionsTakeEachShapeOfPrompt) {
  Start(AnswersWith("z"));
  const auto prompts = [this](const std::string& prompt) {
    const std::size_t before = gateway_.requests().size();
    const TestAnswer answer =
        Post(kCompletions, absl::StrCat(R"({"max_tokens":1,"prompt":)", prompt, "}"));
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::vector<std::vector<TokenId>> got;
    const auto all = gateway_.requests();
    for (std::size_t i = before; i < all.size(); ++i) got.push_back(all[i].prompt);
    return got;
  };
  using Prompts = std::vector<std::vector<TokenId>>;
  EXPECT_EQ(prompts(R"("ab")"), (Prompts{{256, 'a', 'b'}}));
  EXPECT_EQ(prompts(R"(["a","b"])"), (Prompts{{256, 'a'}, {256, 'b'}}));
  EXPECT_EQ(prompts("[1,2]"), (Prompts{{1, 2}}));
  EXPECT_EQ(prompts("[[1,2],[3]]"), (Prompts{{1, 2}, {3}}));
}

TEST_F(ApiTest, ChoicesAreRequestsOfTheirOwn) {
  Start(AnswersWith("q"));
  const TestAnswer answer =
      Post(kCompletions, R"({"max_tokens":1,"n":2,"seed":7,"prompt":["a","b"]})");
  ASSERT_EQ(answer.status, 200);
  const auto requests = gateway_.requests();
  ASSERT_THAT(requests, SizeIs(4));
  EXPECT_EQ(requests[1].sampling.choice, 1U);
  EXPECT_EQ(requests[1].sampling.seed, 7U);
  EXPECT_EQ(requests[2].sampling.choice, 0U);
  EXPECT_NE(requests[0].id, requests[1].id);
  EXPECT_EQ(TextAt(answer.body, "choices.3.index"), "3");
  EXPECT_EQ(TextAt(answer.body, "usage.prompt_tokens"), "4");
  EXPECT_EQ(TextAt(answer.body, "usage.completion_tokens"), "4");
}

TEST_F(ApiTest, AStopStringAcrossTokensCutsTheTextAndCancels) {
  Start(AnswersWith("one</s>two"));
  const TestAnswer answer =
      Post(kCompletions, R"({"max_tokens":100,"prompt":"x","stop":["</s>","never"]})");
  EXPECT_EQ(TextAt(answer.body, "choices.0.text"), "\"one\"");
  EXPECT_EQ(TextAt(answer.body, "choices.0.finish_reason"), "\"stop\"");
  EXPECT_EQ(TextAt(answer.body, "choices.0.stop_reason"), "\"</s>\"");
  EXPECT_EQ(TextAt(answer.body, "usage.completion_tokens"), "7");
  ASSERT_EQ(gateway_.WaitForCancels(1), 1U);
  EXPECT_EQ(gateway_.last_cancel(), CancelReason::kAnswered);
}

TEST_F(ApiTest, AnEndTokenEndsWithItsTextLeftOut) {
  Start([](const Request& request, std::unique_ptr<ResponseObserver> observer) {
    observer->OnTokens({ByteToken('a', request.sampling)});
    TokenOutput end;
    end.token = 257;
    observer->OnTokens({end});
    observer->OnFinished(FinishReason::kStop, {}, {});
  });
  const TestAnswer answer =
      Post(kCompletions, R"({"prompt":"x","return_token_ids":true,"skip_special_tokens":false})");
  EXPECT_EQ(TextAt(answer.body, "choices.0.text"), "\"a\"");
  EXPECT_EQ(TextAt(answer.body, "choices.0.finish_reason"), "\"stop\"");
  EXPECT_EQ(TextAt(answer.body, "choices.0.token_ids"), "[97,257]");
  EXPECT_EQ(TextAt(answer.body, "choices.0.prompt_token_ids"), "[256,120]");
  EXPECT_EQ(TextAt(answer.body, "usage.completion_tokens"), "2");
}

TEST_F(ApiTest, IgnoreEosStillHonoursTheClientsStopIds) {
  Start(AnswersWith("abc"));
  const TestAnswer answer = Post(
      kCompletions, R"({"prompt":"x","ignore_eos":true,"stop_token_ids":[98],"max_tokens":9})");
  EXPECT_EQ(TextAt(answer.body, "choices.0.text"), "\"a\"");
  EXPECT_EQ(TextAt(answer.body, "choices.0.stop_reason"), "98");
  EXPECT_EQ(gateway_.requests().at(0).stop.end_tokens, std::vector<TokenId>{98});
}

TEST_F(ApiTest, ACharacterInPiecesComesOutWhole) {
  Start(AnswersWith("\xE6\xBC\xA2!"));
  const TestAnswer answer =
      Post(kChat, R"({"stream":true,"max_tokens":4,"messages":[{"role":"user","content":"x"}]})");
  const auto events = EventsOf(answer.body);
  ASSERT_THAT(events, SizeIs(5));
  EXPECT_EQ(TextAt(events[0], "choices.0.delta.content"), "\"\"");
  EXPECT_EQ(TextAt(events[2], "choices.0.delta.content"), "\"\xE6\xBC\xA2\"");
  EXPECT_EQ(TextAt(events[3], "choices.0.delta.content"), "\"!\"");
}

TEST_F(ApiTest, LogprobsHaveTheShapesOfBothApis) {
  Start(AnswersWith("a\xE6"));
  const TestAnswer chat = Post(kChat, R"({"max_tokens":2,"logprobs":true,"top_logprobs":2,
      "messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(TextAt(chat.body, "choices.0.logprobs.content.0"),
            R"({"token":"a","logprob":-0.25,"bytes":[97],"top_logprobs":[)"
            R"({"token":"a","logprob":-0.25,"bytes":[97]},)"
            R"({"token":"b","logprob":-1.25,"bytes":[98]}]})");
  EXPECT_EQ(TextAt(chat.body, "choices.0.logprobs.content.1.token"), R"("bytes:\\xe6")");
  const TestAnswer text = Post(kCompletions, R"({"max_tokens":2,"logprobs":1,"prompt":"x"})");
  EXPECT_EQ(TextAt(text.body, "choices.0.logprobs"),
            R"({"tokens":["a","bytes:\\xe6"],"token_logprobs":[-0.25,-0.25],)"
            R"("top_logprobs":[{"a":-0.25},{"bytes:\\xe6":-0.25}],"text_offset":[0,1]})");
}

TEST_F(ApiTest, ARoleThatCannotWaitTellsItsStreamsBeforeTheyAreCut) {
  Start(Keep());
  HttpTestClient client(port());
  client.Post(kChat, R"({"stream":true,"messages":[{"role":"user","content":"x"}]})");
  ASSERT_EQ(gateway_.WaitForRequests(1), 1U);
  Answer('a');
  ASSERT_TRUE(client.ReadUntil("\"content\":\"a\""));
  api_->EndCalls();
  const auto events = EventsOf(client.Read().body);
  ASSERT_THAT(events, Not(IsEmpty()));
  EXPECT_EQ(TextAt(events.back(), "error.code"), "\"draining\"");
  EXPECT_EQ(gateway_.WaitForCancels(1), 1U);
}

TEST_F(ApiTest, LargeBodiesAreReadElsewhereAndAnswerAlike) {
  Start(AnswersWith("a"));
  const std::string large(8000, 'x');
  const std::string body = absl::StrCat(R"({"max_tokens":1,"user":")", std::string(20'000, 'u'),
                                        R"(","prompt":")", large, "\"}");
  const TestAnswer answer = Post(kCompletions, body);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(TextAt(answer.body, "usage.prompt_tokens"), "8001");
  EXPECT_EQ(
      TextAt(
          Post("/tokenize", absl::StrCat(R"({"prompt":")", std::string(32'767, 'x'), "\"}")).body,
          "count"),
      "32768");
}

TEST_F(ApiTest, AClientThatLeavesWhileItsBodyIsReadLeavesNothingRunning) {
  ApiOptions options;
  options.text_threads = 1;
  Start(Keep(), options);
  {
    HttpTestClient client(port());
    client.Post(kCompletions,
                absl::StrCat(R"({"prompt":"x","user":")", std::string(8'000'000, 'u'), "\"}"));
    client.Reset();
  }
  // Behind the other on the one text thread: when this is answered, that was dealt with.
  const std::string behind = absl::StrCat(R"({"prompt":")", std::string(20'000, 'x'), "\"}");
  EXPECT_EQ(Post("/tokenize", behind).status, 200);
  const std::size_t started = gateway_.requests().size();
  EXPECT_EQ(gateway_.WaitForCancels(started), started);
}

TEST_F(ApiTest, WhatIsTooLargeToBeAPromptIsRefusedBeforeItIsMadeOne) {
  Start(AnswersWith("a"));
  std::string ids = "1";
  for (int i = 0; i < 300'000; ++i) ids += ",1";
  const TestAnswer many = Post(kCompletions, absl::StrCat(R"({"prompt":[)", ids, "]}"));
  EXPECT_EQ(many.status, 400);
  EXPECT_EQ(TextAt(many.body, "error.code"), "\"invalid_json\"");
  const TestAnswer text =
      Post(kCompletions, absl::StrCat(R"({"prompt":")", std::string(256 * 8192 + 1, 'x'), "\"}"));
  EXPECT_EQ(text.status, 400);
  EXPECT_EQ(TextAt(text.body, "error.code"), "\"context_length_exceeded\"");
  const TestAnswer tokens =
      Post("/tokenize", absl::StrCat(R"({"prompt":")", std::string(32'768, 'x'), "\"}"));
  EXPECT_EQ(tokens.status, 400);
  EXPECT_EQ(TextAt(tokens.body, "error.code"), "\"context_length_exceeded\"");
}

TEST_F(ApiTest, FailuresBeforeTheFirstTokenKeepTheirStatus) {
  Start(Keep());
  const std::vector<std::tuple<absl::Status, std::string, int, std::string>> cases = {
      {absl::UnavailableError("no decode worker"), "no_worker", 503, "unavailable_error"},
      {absl::ResourceExhaustedError("queue full"), "queue_full", 503, "unavailable_error"},
      {absl::UnavailableError("draining"), "draining", 503, "unavailable_error"},
      {absl::ResourceExhaustedError("late"), "would_be_late", 429, "rate_limit_error"},
      {absl::DeadlineExceededError("too long"), "deadline", 504, "timeout_error"},
      {absl::InvalidArgumentError("no room"), "context_length_exceeded", 400,
       "invalid_request_error"},
      {absl::UnavailableError("no wire"), "handoff_failed", 503, "unavailable_error"},
      {absl::InternalError("secret detail"), "internal", 500, "server_error"},
  };
  std::size_t asked = 0;
  for (const auto& [status, code, http, type] : cases) {
    HttpTestClient client(port());
    client.Post(kChat, R"({"stream":true,"messages":[{"role":"user","content":"x"}]})",
                "x-request-id: abc\r\n");
    ASSERT_EQ(gateway_.WaitForRequests(++asked), asked);
    FailAll(status, code);
    const TestAnswer answer = client.Read();
    EXPECT_EQ(answer.status, http) << code;
    EXPECT_EQ(TextAt(answer.body, "error.code"), "\"" + code + "\"");
    EXPECT_EQ(TextAt(answer.body, "error.type"), "\"" + type + "\"");
    EXPECT_EQ(TextAt(answer.body, "error.param"), "null");
    EXPECT_EQ(answer.headers.count("retry-after"), http == 503 || http == 429 ? 1U : 0U) << code;
    EXPECT_EQ(answer.headers.at("x-request-id"), "abc");
    EXPECT_EQ(absl::StrContains(answer.body, "request abc"), http >= 500) << code;
    EXPECT_FALSE(absl::StrContains(answer.body, "secret")) << code;
    EXPECT_FALSE(http == 500 && absl::StrContains(answer.body, "try again"));
  }
}

TEST_F(ApiTest, AFailureInMidStreamIsAnErrorEventWithoutDone) {
  Start(Keep());
  HttpTestClient client(port());
  client.Post(kChat, R"({"stream":true,"messages":[{"role":"user","content":"x"}]})");
  ASSERT_EQ(gateway_.WaitForRequests(1), 1U);
  Answer('a');
  FailAll(absl::UnavailableError("the decode worker was lost"), "no_worker");
  const TestAnswer answer = client.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.complete);
  const auto events = EventsOf(answer.body);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(TextAt(events[1], "error.code"), "\"no_worker\"");
}

TEST_F(ApiTest, AClientThatVanishesCancelsEveryChoice) {
  Start(Keep());
  {
    HttpTestClient client(port());
    client.Post(kChat, R"({"stream":true,"n":3,"messages":[{"role":"user","content":"x"}]})");
    ASSERT_EQ(gateway_.WaitForRequests(3), 3U);
  }
  EXPECT_EQ(gateway_.WaitForCancels(3), 3U);
}

TEST_F(ApiTest, AClientThatVanishesWhileAWholeAnswerIsMadeCancels) {
  Start(Keep());
  {
    HttpTestClient client(port());
    client.Post(kChat, R"({"messages":[{"role":"user","content":"x"}]})");
    ASSERT_EQ(gateway_.WaitForRequests(1), 1U);
    Answer('a');
  }
  EXPECT_EQ(gateway_.WaitForCancels(1), 1U);
}

TEST_F(ApiTest, ALongWaitIsFilledWithComments) {
  ApiOptions options;
  options.waiting_comment_period = Milliseconds(20);
  Start(Keep(), options);
  HttpTestClient client(port());
  client.Post(kChat, R"({"stream":true,"messages":[{"role":"user","content":"x"}]})");
  EXPECT_TRUE(client.ReadUntil(": waiting\n\n"));
}

TEST_F(ApiTest, ABusyDoorRefusesMoreCalls) {
  ApiOptions options;
  options.calls_max = 1;
  Start(Keep(), options);
  HttpTestClient first(port());
  first.Post(kChat, R"({"messages":[{"role":"user","content":"x"}]})");
  ASSERT_EQ(gateway_.WaitForRequests(1), 1U);
  const TestAnswer second = Post(kChat, R"({"messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(second.status, 503);
  EXPECT_EQ(TextAt(second.body, "error.code"), "\"queue_full\"");
}

TEST_F(ApiTest, WithoutWorkersModelsAreNoneAndCallsAre503) {
  gateway_.SetModel(std::nullopt);
  Start(AnswersWith("a"));
  EXPECT_EQ(TextAt(Get("/v1/models").body, "data"), "[]");
  const TestAnswer answer = Post(kChat, R"({"messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.count("retry-after"), 1U);
  EXPECT_EQ(TextAt(answer.body, "error.code"), "\"no_worker\"");
  EXPECT_THAT(answer.body, HasSubstr("has registered yet"));
  EXPECT_THAT(answer.body, HasSubstr("(request " + answer.headers.at("x-request-id")));
}

TEST_F(ApiTest, WorkersThatLeftAreNotWorkersThatNeverCame) {
  gateway_.SetModel(std::nullopt, /*had_worker=*/true);
  Start(AnswersWith("a"));
  EXPECT_THAT(Post(kCompletions, R"({"prompt":"x"})").body, HasSubstr("every worker is gone"));
}

TEST_F(ApiTest, ModelsTokenizeAndDetokenizeAnswer) {
  Start(AnswersWith("a"));
  EXPECT_EQ(TextAt(Get("/v1/models").body, "data.0.max_model_len"), "8192");
  EXPECT_EQ(TextAt(Get("/v1/models/recall").body, "id"), "\"recall\"");
  EXPECT_EQ(Get("/v1/models/other").status, 404);
  const std::string tokens = Post("/tokenize", R"({"prompt":"ab","return_token_strs":true})").body;
  EXPECT_EQ(TextAt(tokens, "tokens"), "[256,97,98]");
  EXPECT_EQ(TextAt(tokens, "token_strs"), R"(["<|begin|>","a","b"])");
  EXPECT_EQ(TextAt(tokens, "count"), "3");
  EXPECT_EQ(
      TextAt(Post("/tokenize", R"({"messages":[{"role":"user","content":"z"}]})").body, "tokens"),
      "[256,122]");
  EXPECT_EQ(TextAt(Post("/detokenize", R"({"tokens":[97,98]})").body, "prompt"), "\"ab\"");
  EXPECT_EQ(Post("/tokenize", "{}").status, 400);
  EXPECT_EQ(TextAt(Post("/detokenize", R"({"tokens":[97,"x"]})").body, "error.param"),
            "\"tokens[1]\"");
  EXPECT_EQ(TextAt(Post("/detokenize", R"({"tokens":[97,258]})").body, "error.param"),
            "\"tokens[1]\"");
}

// The tokenizer of a directory: what it makes of a text, asked over HTTP.
const std::string kLlama = BATON_SOURCE_DIR "/tests/golden/tokenizers/llama3";

TEST_F(ApiTest, AModelDirectoryWithATokenizerTakesAndGivesText) {
  Start(AnswersWith("@A"), {}, kLlama);  // tokens 64 and 65, which are other letters here
  EXPECT_EQ(TextAt(Post("/detokenize", R"({"tokens":[64,65]})").body, "prompt"), "\"ab\"");
  const std::string body =
      Post(kCompletions, R"({"prompt":"\t\tx","add_special_tokens":false,"max_tokens":2})").body;
  EXPECT_EQ(TextAt(body, "choices.0.text"), "\"ab\"") << body;
  const auto ids = [this](const std::string& rest) {
    return TextAt(Post("/tokenize", R"({"prompt":"\n\n\n  \n",)" + rest + "}").body, "tokens");
  };
  EXPECT_EQ(ids(R"("add_special_tokens":false)"), "[1056,256,198]");
  EXPECT_EQ(ids(R"("return_token_strs":true)"), "[1984,1056,256,198]");
}

TEST_F(ApiTest, SpecialTokensOfAPromptAreParsedUnlessTheCallerSaysNo) {
  Start(AnswersWith("ab"), {}, kLlama);
  const auto count = [this](const std::string& rest) {
    return TextAt(
        Post("/tokenize", R"({"add_special_tokens":false,"prompt":"<|eot_id|>")" + rest + "}").body,
        "count");
  };
  EXPECT_EQ(count(""), "1");
  EXPECT_NE(count(R"(,"parse_special_tokens":false)"), "1");
}

TEST_F(ApiTest, TokenizerInfoIsTheConfigurationWithPlainTokens) {
  Start(AnswersWith("ab"), {}, BATON_SOURCE_DIR "/tests/golden/tokenizers/deepseek_v3");
  const std::string body = Get("/tokenizer_info").body;
  EXPECT_EQ(TextAt(body, "tokenizer_class"), "\"LlamaTokenizerFast\"");
  EXPECT_EQ(TextAt(body, "bos_token"), "\"<\uff5cbegin\u2581of\u2581sentence\uff5c>\"");
  EXPECT_EQ(TextAt(body, "add_bos_token"), "true");
}

TEST_F(ApiTest, AModelDirectoryServesTokenIdsAndSaysSo) {
  Start(AnswersWith("ab"), {}, "/models/some-directory");
  const TestAnswer text = Post(kCompletions, R"({"prompt":"words"})");
  EXPECT_EQ(text.status, 400);
  EXPECT_EQ(TextAt(text.body, "error.param"), "\"prompt\"");
  EXPECT_THAT(text.body, HasSubstr("token ids"));
  EXPECT_EQ(Post(kChat, R"({"messages":[{"role":"user","content":"x"}]})").status, 400);
  const TestAnswer ids =
      Post(kCompletions, R"({"prompt":[1,2],"max_tokens":2,"return_token_ids":true})");
  EXPECT_EQ(TextAt(ids.body, "choices.0.token_ids"), "[97,98]");
  EXPECT_EQ(TextAt(ids.body, "choices.0.text"), "\"\"");
  const TestAnswer stop = Post(kCompletions, R"({"prompt":[1,2],"stop":["a"]})");
  EXPECT_EQ(stop.status, 400);
  EXPECT_EQ(TextAt(stop.body, "error.param"), "\"stop\"");
}

TEST_F(ApiTest, WhatUsersFeelIsMeasured) {
  Start(AnswersWith("ab"));
  EXPECT_EQ(Post(kCompletions, R"({"prompt":"x","max_tokens":2})").status, 200);
  server_->Stop();
  const std::string metrics = metrics_.Expose();
  EXPECT_THAT(metrics, HasSubstr("vllm:time_to_first_token_seconds_count{engine=\"0\","
                                 "model_name=\"recall\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("vllm:inter_token_latency_seconds_count{engine=\"0\","
                                 "model_name=\"recall\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("baton_http_requests_total{code=\"200\","
                                 "route=\"/v1/completions\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("baton_router_overhead_seconds_count{stage=\"dispatch\"} 1"));
}

}  // namespace
}  // namespace baton::testing
