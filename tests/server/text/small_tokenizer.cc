#include "tests/server/text/small_tokenizer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "server/text/byte_letters.h"
#include "server/text/utf8.h"

namespace baton::testing {

std::string SmallTokenizer::Json() const {
  std::string vocabulary;
  int next = 0;
  const auto add = [&](const std::string& name) {
    absl::StrAppend(&vocabulary, next == 0 ? "" : ",");
    AppendJsonString(name, vocabulary);
    absl::StrAppend(&vocabulary, ":", next++);
  };
  char32_t letter = 0;
  while (next < 256) {
    std::string name;
    std::string bytes;
    AppendUtf8(letter++, name);
    if (BytesFromLetters(name, bytes)) add(name);
  }
  for (const std::string& token : tokens) add(token);
  return absl::StrCat(R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":)",
                      added_tokens, R"(,"normalizer":)", normalizer, R"(,"pre_tokenizer":)",
                      pre_tokenizer, R"(,"post_processor":)", post_processor, R"(,"decoder":)",
                      decoder, R"(,"model":{"type":"BPE",)", model_rest, R"(,"vocab":{)",
                      vocabulary, R"(},"merges":)", merges, "}}");
}

std::string AddedTokenJson(int id, const std::string& content,
                           const std::vector<std::string>& flags) {
  std::string json = absl::StrCat(R"({"id":)", id, R"(,"content":)");
  AppendJsonString(content, json);
  for (const std::string flag : {"single_word", "lstrip", "rstrip", "normalized", "special"}) {
    const bool set = std::find(flags.begin(), flags.end(), flag) != flags.end();
    absl::StrAppend(&json, ",\"", flag, "\":", set ? "true" : "false");
  }
  return json + "}";
}

std::string SplitJson(const std::string& regex, const std::string& behavior, bool invert) {
  std::string json = R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":)";
  AppendJsonString(regex, json);
  return absl::StrCat(
      json, R"(},"behavior":")", behavior, R"(","invert":)", invert ? "true" : "false",
      R"(},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]})");
}

}  // namespace baton::testing
