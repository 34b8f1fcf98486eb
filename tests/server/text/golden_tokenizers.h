// The tokenizers of tests/golden/tokenizers and their rows, read for tests.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "server/text/hf_tokenizer.h"

namespace baton::testing {

/// One row of cases.jsonl, with its defaults filled in.
struct GoldenCase {
  std::optional<std::string> text;  // absent: ids to decode alone
  std::vector<TokenId> ids;
  std::vector<TokenId> ids_special;
  std::string decode;
  std::string decode_skip;
};

struct GoldenTokenizer {
  std::string name;
  std::unique_ptr<HfTokenizer> tokenizer;
  std::vector<GoldenCase> cases;
};

/// All of them, by name. Aborts when one cannot be read.
std::vector<GoldenTokenizer> ReadGoldenTokenizers();

/// The tokenizer.json of one.
std::string GoldenTokenizerJson(const std::string& name);

/// The text of `ids` as a whole.
std::string DecodeAll(const Tokenizer& tokenizer, const std::vector<TokenId>& ids,
                      bool skip_special);

}  // namespace baton::testing
