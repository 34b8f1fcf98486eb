// Every refusal names its field: one row each, at the limit and one past it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/api_fixture.h"

namespace baton::testing {
namespace {

struct Row {
  std::string fields;  // beside the required ones
  int status = 400;
  std::string param;  // as JSON
  std::string code = "null";
};

class ApiRefusalTest : public ApiFixture {
 protected:
  void Expect(const std::string& path, const std::string& required, const Row& row) {
    const std::string body =
        absl::StrCat("{", required, row.fields.empty() ? "" : ",", row.fields, "}");
    const TestAnswer answer = Post(path, body);
    EXPECT_EQ(answer.status, row.status) << row.fields << " " << answer.body;
    if (row.status == 200) return;
    EXPECT_EQ(TextAt(answer.body, "error.param"), row.param) << row.fields << answer.body;
    EXPECT_EQ(TextAt(answer.body, "error.code"), row.code) << row.fields;
    EXPECT_NE(TextAt(answer.body, "error.message"), "null") << row.fields;
  }
};

const char* const kUnsupported = "\"unsupported_value\"";

std::string Stops(int count) {
  std::string list = "\"stop\":[";
  for (int i = 0; i < count; ++i) absl::StrAppend(&list, i > 0 ? "," : "", "\"s\"");
  return list + "]";
}

std::vector<Row> SharedRows() {
  return {
      {R"("temperature":2)", 200, "", ""},
      {R"("temperature":2.01)", 400, R"("temperature")"},
      {R"("temperature":"hot")", 400, R"("temperature")"},
      {R"("top_p":0)", 400, R"("top_p")"},
      {R"("top_p":1)", 200, "", ""},
      {R"("top_p":1e-300)", 400, R"("top_p")"},
      {R"("temperature":1e300)", 400, R"("temperature")"},
      {R"("min_p":1.5)", 400, R"("min_p")"},
      {R"("top_k":-1)", 200, "", ""},
      {R"("top_k":-2)", 400, R"("top_k")"},
      {R"("seed":-1)", 200, "", ""},
      {R"("seed":18446744073709551615)", 200, "", ""},
      {R"("seed":1.5)", 400, R"("seed")"},
      {R"("n":8)", 200, "", ""},
      {R"("n":9)", 400, R"("n")"},
      {R"("n":0)", 400, R"("n")"},
      {R"("max_tokens":8192)", 200, "", ""},
      {R"("max_tokens":8193)", 400, R"("max_tokens")"},
      {R"("max_tokens":0)", 400, R"("max_tokens")"},
      {R"("max_tokens":4,"min_tokens":5)", 400, R"("min_tokens")"},
      {R"("min_tokens":-1)", 400, R"("min_tokens")"},
      {R"("ignore_eos":1)", 400, R"("ignore_eos")"},
      {Stops(16), 200, "", ""},
      {Stops(17), 400, R"("stop")"},
      {R"("stop":"")", 400, R"("stop")"},
      {R"("stop":["a",1])", 400, R"("stop[1]")"},
      {R"("stop":{})", 400, R"("stop")"},
      {absl::StrCat("\"stop\":\"", std::string(256, 's'), "\""), 200, "", ""},
      {absl::StrCat("\"stop\":\"", std::string(257, 's'), "\""), 400, R"("stop")"},
      {R"("stop_token_ids":[257])", 200, "", ""},
      {R"("stop_token_ids":[258])", 400, R"("stop_token_ids")"},
      {R"("stop_token_ids":["a"])", 400, R"("stop_token_ids[0]")"},
      {R"("stream_options":{})", 400, R"("stream_options")"},
      {R"("stream":true,"stream_options":{"include_usage":3})", 400,
       R"("stream_options.include_usage")"},
      {R"("model":"other")", 404, R"("model")", R"("model_not_found")"},
      {R"("model":7)", 400, R"("model")"},
      {R"("presence_penalty":2.5)", 400, R"("presence_penalty")"},
      {R"("frequency_penalty":-2.1)", 400, R"("frequency_penalty")"},
      {R"("presence_penalty":0.5,"frequency_penalty":-2,"repetition_penalty":1.1)", 200, "", ""},
      {R"("presence_penalty":0,"frequency_penalty":0.0,"repetition_penalty":1.0)", 200, "", ""},
      {R"("repetition_penalty":0)", 400, R"("repetition_penalty")"},
      {R"("repetition_penalty":1e-300)", 400, R"("repetition_penalty")"},
      {R"("logit_bias":{"1":2})", 200, "", ""},
      {R"("logit_bias":{"one":2})", 400, R"("logit_bias")"},
      {R"("logit_bias":{"1":101})", 400, R"("logit_bias")"},
      {R"("logit_bias":{"1":2,"01":3})", 400, R"("logit_bias")"},
      {R"("logit_bias":{"9999":2})", 400, R"("logit_bias")"},
      {R"("logit_bias":[1])", 400, R"("logit_bias")"},
      {R"("logit_bias":{})", 200, "", ""},
      {R"("bad_words":["x"])", 200, "", ""},
      {R"("bad_words":[""])", 400, R"("bad_words")"},
      {R"("bad_words":[7])", 400, R"("bad_words[0]")"},
      {R"("allowed_token_ids":[1])", 200, "", ""},
      {R"("allowed_token_ids":[-1])", 400, R"("allowed_token_ids")"},
      {R"("allowed_token_ids":["a"])", 400, R"("allowed_token_ids[0]")"},
      {R"("prompt_logprobs":20)", 200, "", ""},
      {R"("prompt_logprobs":21)", 400, R"("prompt_logprobs")"},
      {R"("prompt_logprobs":-1)", 400, R"("prompt_logprobs")"},
      {R"("prompt_logprobs":true)", 400, R"("prompt_logprobs")"},
      {R"("truncate_prompt_tokens":5)", 400, R"("truncate_prompt_tokens")", kUnsupported},
      {R"("structured_outputs":{"json":{}})", 400, R"("structured_outputs")", kUnsupported},
      {R"("guided_regex":"a*")", 400, R"("guided_regex")", kUnsupported},
      {R"("response_format":{"type":"json_object"})", 400, R"("response_format.type")",
       kUnsupported},
      {R"("response_format":{"type":"text"})", 200, "", ""},
      {R"("use_beam_search":true)", 400, R"("use_beam_search")", kUnsupported},
      {R"("priority":1)", 400, R"("priority")", kUnsupported},
      {R"("user":"u","metadata":{},"store":true,"kv_transfer_params":{"x":1},"whatever":[1])", 200,
       "", ""},
      {R"("stop":null,"seed":null,"n":null,"logprobs":null,"temperature":null)", 200, "", ""},
      {R"("n":1,"n":2)", 400, "null", R"("invalid_json")"},
  };
}

TEST_F(ApiRefusalTest, ChatNamesTheFieldItRefuses) {
  Start(AnswersWith("a"));
  const std::string required = R"("messages":[{"role":"user","content":"x"}])";
  for (const Row& row : SharedRows()) Expect("/v1/chat/completions", required, row);
  const std::vector<Row> rows = {
      {R"("max_completion_tokens":9000,"max_tokens":5)", 400, R"("max_completion_tokens")"},
      {R"("logprobs":true,"top_logprobs":20)", 200, "", ""},
      {R"("logprobs":true,"top_logprobs":21)", 400, R"("top_logprobs")"},
      {R"("top_logprobs":2)", 400, R"("top_logprobs")"},
      {R"("logprobs":3)", 400, R"("logprobs")"},
      {R"("echo":true)", 400, R"("echo")", kUnsupported},
      {R"("tools":[{"type":"function"}])", 400, R"("tools[0].type")", kUnsupported},
      {R"("tools":[],"tool_choice":"auto")", 200, "", ""},
      {R"("tool_choice":"required")", 400, R"("tool_choice")", kUnsupported},
      {R"("functions":[{}])", 400, R"("functions")", kUnsupported},
      {R"("modalities":["text"])", 200, "", ""},
      {R"("modalities":["audio"])", 400, R"("modalities")", kUnsupported},
      {R"("chat_template":"x")", 400, R"("chat_template")", kUnsupported},
  };
  for (const Row& row : rows) Expect("/v1/chat/completions", required, row);
}

TEST_F(ApiRefusalTest, MessagesNameTheirPath) {
  Start(AnswersWith("a"));
  const std::vector<Row> rows = {
      {"", 400, R"("messages")"},
      {R"("messages":[])", 400, R"("messages")"},
      {R"("messages":"x")", 400, R"("messages")"},
      {R"("messages":[1])", 400, R"("messages[0]")"},
      {R"("messages":[{"role":"user"}])", 400, R"("messages[0].content")"},
      {R"("messages":[{"role":"alien","content":"x"}])", 400, R"("messages[0].role")"},
      {R"("messages":[{"role":"developer","content":"x"},{"role":"tool","content":"y"}])", 200, "",
       ""},
      {R"("messages":[{"role":"user","content":[{"type":"text","text":"x"}]}])", 200, "", ""},
      {R"("messages":[{"role":"user","content":[{"type":"text"}]}])", 400,
       R"("messages[0].content[0].text")"},
      {R"("messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}])", 400,
       R"("messages[0].content[0].type")", kUnsupported},
      {R"("messages":[{"role":"assistant","content":null,"tool_calls":[{}]}])", 400,
       R"("messages[0].tool_calls[0].type")", kUnsupported},
      {absl::StrCat(R"("messages":[{"role":"user","content":"x","name":")", std::string(257, 'n'),
                    R"("}])"),
       400, R"("messages[0].name")"},
  };
  for (const Row& row : rows) Expect("/v1/chat/completions", R"("model":"recall")", row);
}

TEST_F(ApiRefusalTest, CompletionsNameTheFieldTheyRefuse) {
  Start(AnswersWith("a"));
  for (const Row& row : SharedRows()) Expect("/v1/completions", R"("prompt":"x")", row);
  const std::vector<Row> rows = {
      {R"("logprobs":20)", 200, "", ""},
      {R"("logprobs":21)", 400, R"("logprobs")"},
      {R"("logprobs":20,"max_tokens":8000,"n":2)", 400, R"("logprobs")"},
      {R"("logprobs":20,"max_tokens":8000,"n":2,"stream":true)", 200, "", ""},
      {R"("echo":true)", 200, "", ""},
      {R"("echo":1)", 400, R"("echo")"},
      {R"("echo":true,"max_tokens":0)", 200, "", ""},
      {R"("max_tokens":0)", 400, R"("max_tokens")"},
      {R"("echo":false,"suffix":"")", 200, "", ""},
      {R"("suffix":"x")", 400, R"("suffix")", kUnsupported},
      {R"("best_of":2)", 400, R"("best_of")", kUnsupported},
      {R"("best_of":2,"n":2)", 200, "", ""},
  };
  for (const Row& row : rows) Expect("/v1/completions", R"("prompt":"x")", row);
}

TEST_F(ApiRefusalTest, PromptsNameWhatIsWrongWithThem) {
  Start(AnswersWith("a"));
  const auto zeros = [](int count) {
    std::string list = "\"prompt\":[0";
    for (int i = 1; i < count; ++i) list += ",0";
    return list + "]";
  };
  const std::vector<Row> rows = {
      {"", 400, R"("prompt")"},
      {R"("prompt":null)", 400, R"("prompt")"},
      {R"("prompt":[])", 400, R"("prompt")"},
      {R"("prompt":[[]])", 400, R"("prompt")"},
      {R"("prompt":7)", 400, R"("prompt")"},
      {R"("prompt":[1,"a"])", 400, R"("prompt[1]")"},
      {R"("prompt":["a",1])", 400, R"("prompt[1]")"},
      {R"("prompt":[258])", 400, R"("prompt")"},
      {R"("prompt":[-1])", 400, R"("prompt")"},
      {R"("prompt":[99999999999])", 400, R"("prompt")"},
      {R"("prompt":"","add_special_tokens":false)", 400, R"("prompt")"},
      {R"("prompt":"")", 200, "", ""},
      {zeros(8191), 200, "", ""},
      {zeros(8192), 400, R"("prompt")", R"("context_length_exceeded")"},
      {R"("n":8,"prompt":[[1],[1],[1],[1],[1],[1],[1],[1],[1]])", 400, R"("n")"},
  };
  for (const Row& row : rows) Expect("/v1/completions", R"("model":"recall")", row);
  EXPECT_THAT(Post("/v1/completions", "{" + zeros(9000) + "}").body,
              ::testing::HasSubstr("maximum context length is 8192 tokens"));
}

TEST_F(ApiRefusalTest, ABodyThatIsNoJsonObjectIsRefused) {
  Start(AnswersWith("a"));
  for (const char* body : {"", "{", "[]", "7", "{\"a\":\"\xff\"}"}) {
    const TestAnswer answer = Post("/v1/completions", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(TextAt(answer.body, "error.code"), R"("invalid_json")") << body;
    EXPECT_EQ(TextAt(answer.body, "error.param"), "null") << body;
  }
}

TEST_F(ApiRefusalTest, AnAnswerIsClampedToTheRoomLeft) {
  Start(AnswersWith("a"));
  EXPECT_EQ(Post("/v1/completions", R"({"prompt":[1,2],"max_tokens":8192})").status, 200);
  EXPECT_EQ(Post("/v1/completions", R"({"prompt":[1,2],"max_tokens":null})").status, 200);
  EXPECT_EQ(Post("/v1/completions", R"({"prompt":[1,2]})").status, 200);
  const auto requests = gateway_.requests();
  EXPECT_EQ(requests[0].stop.max_tokens, 8190);
  EXPECT_EQ(requests[1].stop.max_tokens, 8190);
  EXPECT_EQ(requests[2].stop.max_tokens, 16);
}

TEST_F(ApiRefusalTest, ACacheSaltIsDerivedAndKeepsItsOwnerApart) {
  Start(AnswersWith("a"));
  for (const char* salt :
       {"", R"(,"cache_salt":"a")", R"(,"cache_salt":"a")", R"(,"cache_salt":"b")"}) {
    EXPECT_EQ(Post("/v1/completions", absl::StrCat(R"({"prompt":"x")", salt, "}")).status, 200);
  }
  const auto requests = gateway_.requests();
  EXPECT_EQ(requests[0].cache_salt, "");
  EXPECT_EQ(requests[1].cache_salt.size(), 64U);
  EXPECT_EQ(requests[1].cache_salt, requests[2].cache_salt);
  EXPECT_NE(requests[1].cache_salt, requests[3].cache_salt);
}

}  // namespace
}  // namespace baton::testing
