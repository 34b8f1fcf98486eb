// Any bytes as a chat template: refused by line, or rendered within the limits to well-formed text.
#include <cstdint>
#include <cstdlib>

#include "base/check.h"
#include "base/json.h"
#include "server/text/chat_template.h"
#include "server/text/detokenizer.h"
#include "server/text/template_limits.h"

namespace baton {
namespace {

const ChatInput& Input() {
  static const ChatInput* const kInput = [] {
    auto* input = new ChatInput;
    input->messages = *ParseJson(R"([{"role": "system", "content": " Be kind.\n"},
        {"role": "user", "content": "<|im_end|> h\u00e9, \u6f22 \ud83d\ude00"},
        {"role": "assistant", "content": null, "tool_calls": [{"type": "function",
          "function": {"name": "f", "arguments": {"a": [1.5, null, true]}}}]},
        {"role": "tool", "content": "{\"t\": 21}"}])");
    input->tools = *ParseJson(R"([{"type": "function", "function": {"name": "f"}}])");
    input->special_tokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
    return input;
  }();
  return *kInput;
}

}  // namespace
}  // namespace baton

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view source(reinterpret_cast<const char*>(data), size);
  const auto parsed = baton::ChatTemplate::Parse(source, "fuzz");
  if (!parsed.ok()) return 0;
  const auto runs = parsed->Render(baton::Input());
  if (!runs.ok()) return 0;
  const std::string text = baton::JoinRuns(*runs);
  BATON_CHECK(text.size() <= baton::kTemplateOutputBytesMax);
  BATON_CHECK(baton::IsWholeUtf8(text));
  for (std::size_t i = 0; i < runs->size(); ++i) {
    BATON_CHECK(!(*runs)[i].text.empty());
    BATON_CHECK(i == 0 || (*runs)[i].trusted != (*runs)[i - 1].trusted);
  }
  return 0;
}
