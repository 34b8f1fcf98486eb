// Any bytes as tokenizer.json: refused by a message, or a tokenizer that encodes whatever it is
// given, in bounded time, and never turns untrusted text into a control token.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "server/text/hf_tokenizer.h"

namespace {

void TryOut(const baton::HfTokenizer& tokenizer) {
  using baton::TextRun;
  for (const std::string text : {"", "a", "ab abc  <|x|> \n word 123 e\xCC\x81\xE6\xBC\xA2",
                                 "\xFF\xC3 <|x|>\xE2\x80", "wordword <|x|><|x|>  \r\n\r\n'S it's",
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"}) {
    for (const auto& ids : {tokenizer.Encode(text, {true, true}), tokenizer.Encode(text, {})}) {
      BATON_CHECK(ids.ok() || ids.status().code() == absl::StatusCode::kInvalidArgument);
    }
    const TextRun run{text, false};
    const auto ids = tokenizer.EncodeRuns({&run, 1});
    if (!ids.ok()) continue;
    for (const baton::TokenId id : *ids) {
      // A single byte stays the token that it is, whatever else the file calls it.
      BATON_CHECK(!tokenizer.IsSpecial(id) || tokenizer.BytesOf(id).size() <= 2);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view json(reinterpret_cast<const char*>(data), size);
  const auto tokenizer = baton::HfTokenizer::FromJson({json});
  if (tokenizer.ok()) TryOut(**tokenizer);
  BATON_CHECK(tokenizer.ok() || !tokenizer.status().message().empty());
  return 0;
}
