// Where a model's chat template comes from, and what becomes of a conversation.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/text/byte_tokenizer.h"
#include "server/text/chat_format.h"

namespace baton {
namespace {

class ChatFormatTest : public ::testing::Test {
 protected:
  ChatFormatTest() {
    std::string folder = ::testing::TempDir() + "chat_format.XXXXXX";
    folder_ = ::mkdtemp(folder.data());
    model_.path = folder_;
  }
  ~ChatFormatTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, absl::string_view text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }

  std::string Rendered(const ChatInput& input) const {
    const absl::StatusOr<ChatFormat> format = ChatFormat::Load(model_, server_);
    if (!format.ok()) return absl::StrCat("load: ", format.status().message());
    const auto runs = format->Render(input);
    return runs.ok() ? JoinRuns(*runs) : absl::StrCat("run: ", runs.status().message());
  }

  static ChatInput Hello() {
    ChatInput input;
    input.messages = *ParseJson(R"([{"role": "user", "content": "hello"}])");
    return input;
  }

  std::string folder_;
  ModelConfig model_;
  ServerConfig server_;
};

TEST_F(ChatFormatTest, ADirectoryWithoutATemplateSaysWhatToDo) {
  EXPECT_TRUE(absl::StrContains(Rendered(Hello()), "run: this model has no chat template"));
}

TEST_F(ChatFormatTest, TheFileComesBeforeTheTokenizersAndTheGivenOneBeforeBoth) {
  Write("tokenizer_config.json",
        R"({"chat_template": "config {{ bos_token }}{{ eos_token }}", "bos_token": "<s>",
            "eos_token": {"content": "</s>"}})");
  EXPECT_EQ(Rendered(Hello()), "config <s></s>");
  Write("chat_template.jinja", "file {{ bos_token }}");
  EXPECT_EQ(Rendered(Hello()), "file <s>");
  model_.chat_template = folder_ + "/given.jinja";
  EXPECT_TRUE(absl::StrContains(Rendered(Hello()), "load: model.chat_template: there is no file"));
  Write("given.jinja", "given");
  EXPECT_EQ(Rendered(Hello()), "given");
}

TEST_F(ChatFormatTest, ANamedTemplateIsChosenByTheToolsOfTheCall) {
  Write("tokenizer_config.json", R"({"chat_template": [{"name": "default", "template": "plain"},
      {"name": "tool_use", "template": "{{ tools | length }} tools"}]})");
  ChatInput input = Hello();
  EXPECT_EQ(Rendered(input), "plain");
  input.tools = *ParseJson(R"([{"type": "function", "function": {"name": "f"}}])");
  EXPECT_EQ(Rendered(input), "1 tools");
  Write("tokenizer_config.json", R"({"chat_template": [{"name": "other", "template": ""}]})");
  EXPECT_TRUE(absl::StrContains(Rendered(input), "no entry named default"));
}

TEST_F(ChatFormatTest, AConstructThatIsNotSupportedStopsTheLoadByFileAndLine) {
  Write("chat_template.jinja", "a\nb {{ x | frobnicate }}");
  EXPECT_TRUE(absl::StrContains(Rendered(Hello()),
                                "chat_template.jinja:2: the filter 'frobnicate' is not supported"));
  Write("chat_template.jinja", std::string(64 * 1024 + 1, 'x'));
  EXPECT_TRUE(absl::StrContains(Rendered(Hello()), "65536 bytes"));
}

TEST_F(ChatFormatTest, ArgumentsOfCallsAreGivenAsTheTemplateTakesThem) {
  ChatInput input;
  input.messages = *ParseJson(R"([{"role": "assistant", "tool_calls": [
      {"type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]}])");
  constexpr absl::string_view kLoop =
      "{% for m in messages if m.tool_calls %}{{ m.tool_calls[0].function.arguments";
  Write("chat_template.jinja", absl::StrCat(kLoop, " | tojson }}{% endfor %}"));
  EXPECT_EQ(Rendered(input), R"({"a": 1})");
  Write("chat_template.jinja", absl::StrCat(kLoop, " + '!' }}{% endfor %}"));
  EXPECT_EQ(Rendered(input), R"({"a":1}!)");
  input.messages = *ParseJson(R"([{"role": "assistant", "tool_calls": [
      {"type": "function", "function": {"name": "f", "arguments": "not json"}}]}])");
  Write("chat_template.jinja", absl::StrCat(kLoop, " | tojson }}{% endfor %}"));
  EXPECT_TRUE(absl::StrContains(Rendered(input), "messages[0].tool_calls"));
}

TEST_F(ChatFormatTest, TheMarkupOfCallsFollowsTheArchitecture) {
  const auto markup = [this](absl::string_view type) {
    Write("config.json", absl::StrCat(R"({"model_type": ")", type, "\"}"));
    return ChatFormat::Load(model_, server_)->tool_calls();
  };
  EXPECT_EQ(markup("deepseek_v3"), ToolCallMarkup::kDeepSeek);
  EXPECT_EQ(markup("llama"), ToolCallMarkup::kLlamaJson);
  EXPECT_EQ(markup("qwen3"), ToolCallMarkup::kHermes);
  EXPECT_EQ(markup("gpt2"), ToolCallMarkup::kNone);
  server_.tool_call_parser = "none";
  EXPECT_EQ(markup("qwen3"), ToolCallMarkup::kNone);
}

TEST_F(ChatFormatTest, TheBuiltinModelContinuesTheLastMessage) {
  model_.path = "builtin:recall";
  ChatInput input;
  input.messages = *ParseJson(R"([{"role": "system", "content": "kite=4821;moss=0937;"},
                                  {"role": "user", "content": "moss=<|end|>"}])");
  EXPECT_EQ(Rendered(input), "<|begin|>kite=4821;moss=0937;\nmoss=<|end|>");
  const auto format = ChatFormat::Load(model_, server_);
  const auto tokens = *ByteTokenizer().EncodeRuns(*format->Render(input));
  EXPECT_EQ(tokens.front(), ByteTokenizer::kBegin);
  EXPECT_EQ(std::count(tokens.begin(), tokens.end(), ByteTokenizer::kEnd), 0);
}

}  // namespace
}  // namespace baton
