// Any bytes, encoded and put together again, are the same bytes; trusted or not.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "server/text/hf_tokenizer.h"
#include "tests/server/text/small_tokenizer.h"

namespace {

std::unique_ptr<baton::HfTokenizer> MakeSmall() {
  baton::testing::SmallTokenizer small;
  small.tokens = {"ab", "bc", "abc", "\u0120a", "\u00e6\u00bc", "aa", "aaaa"};
  small.merges =
      R"([["a","b"],["b","c"],["ab","c"],["\u0120","a"],["\u00e6","\u00bc"],["a","a"],["aa","aa"]])";
  small.added_tokens = "[" + baton::testing::AddedTokenJson(263, "<|x|>", {"special"}) + "," +
                       baton::testing::AddedTokenJson(264, "zorb", {"single_word", "normalized"}) +
                       "]";
  auto tokenizer = baton::HfTokenizer::FromJson({small.Json()});
  BATON_CHECK(tokenizer.ok());
  return *std::move(tokenizer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<baton::HfTokenizer> kTokenizer = MakeSmall();
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const bool parsed : {true, false}) {
    const auto ids =
        kTokenizer->Encode(text, {.add_special_tokens = false, .parse_special_tokens = parsed});
    if (!ids.ok()) continue;
    std::string back;
    for (const baton::TokenId id : *ids) {
      BATON_CHECK(parsed || id < 263);
      const absl::string_view bytes = kTokenizer->BytesOf(id);
      back.append(bytes.data(), bytes.size());
    }
    BATON_CHECK(back == text);
  }
  return 0;
}
