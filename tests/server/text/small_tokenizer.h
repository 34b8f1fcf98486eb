// A tokenizer.json of a few lines, whose parts a test replaces one by one.
#pragma once

#include <string>
#include <vector>

namespace baton::testing {

/// Ids: 0..255 the bytes, in the order of their letters; then `tokens`. Members are JSON.
struct SmallTokenizer {
  std::vector<std::string> tokens;  // names, in the byte alphabet
  std::string merges = "[]";
  std::string model_rest = R"("ignore_merges":false)";
  std::string added_tokens = "[]";
  std::string normalizer = "null";
  std::string pre_tokenizer =
      R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})";
  std::string post_processor = "null";
  std::string decoder = R"({"type":"ByteLevel"})";

  std::string Json() const;
};

/// {"id":ID,"content":"CONTENT",...} with every flag false but those in `flags`.
std::string AddedTokenJson(int id, const std::string& content,
                           const std::vector<std::string>& flags = {});

/// {"type":"Sequence",...} of one regex split and the byte level.
std::string SplitJson(const std::string& regex, const std::string& behavior = "Isolated",
                      bool invert = false);

}  // namespace baton::testing
