#include "tests/server/text/golden_tokenizers.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.h"
#include "base/json.h"
#include "server/text/detokenizer.h"

namespace baton::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(BATON_SOURCE_DIR) / "tests" / "golden" / "tokenizers";

std::string ReadAll(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<TokenId> IdsAt(const JsonObject& row, const char* key) {
  std::vector<TokenId> ids;
  const JsonValue* list = row.Find(key);
  BATON_CHECK(list != nullptr && list->AsArray() != nullptr);
  for (const JsonValue& item : *list->AsArray()) {
    std::int64_t id = 0;
    BATON_CHECK(item.AsInt(&id));
    ids.push_back(static_cast<TokenId>(id));
  }
  return ids;
}

/// A string; `true` stands for `text`, absence for `otherwise`.
std::string TextAt(const JsonObject& row, const char* key, const std::string& text,
                   const std::string& otherwise) {
  const JsonValue* value = row.Find(key);
  if (value == nullptr) return otherwise;
  return value->AsString() != nullptr ? *value->AsString() : text;
}

GoldenCase CaseOf(const std::string& line) {
  const auto row_value = ParseJson(line);
  BATON_CHECK(row_value.ok());
  const JsonObject& row = *row_value->AsObject();
  GoldenCase result;
  if (const JsonValue* text = row.Find("text")) result.text = *text->AsString();
  result.ids = IdsAt(row, result.text.has_value() ? "ids" : "decode_ids");
  result.ids_special = row.Find("ids_special") != nullptr ? IdsAt(row, "ids_special") : result.ids;
  const std::string text = result.text.value_or("");
  result.decode = TextAt(row, "decode", text, "");
  result.decode_skip = TextAt(row, "decode_skip", text, result.decode);
  return result;
}

GoldenTokenizer ReadOne(const fs::path& folder) {
  GoldenTokenizer golden{folder.filename().string(), nullptr, {}};
  const std::string json = ReadAll(folder / "tokenizer.json");
  const std::string config = ReadAll(folder / "tokenizer_config.json");
  auto tokenizer = HfTokenizer::FromJson({json, config});
  if (!tokenizer.ok()) {
    std::fprintf(stderr, "%s: %s\n", golden.name.c_str(),
                 std::string(tokenizer.status().message()).c_str());
  }
  BATON_CHECK(tokenizer.ok());
  golden.tokenizer = *std::move(tokenizer);
  std::ifstream lines(folder / "cases.jsonl");
  for (std::string line; std::getline(lines, line);) golden.cases.push_back(CaseOf(line));
  BATON_CHECK(!golden.cases.empty());
  return golden;
}

}  // namespace

std::vector<GoldenTokenizer> ReadGoldenTokenizers() {
  std::vector<GoldenTokenizer> all;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.is_directory()) all.push_back(ReadOne(entry.path()));
  }
  BATON_CHECK(!all.empty());
  std::sort(all.begin(), all.end(),
            [](const GoldenTokenizer& a, const GoldenTokenizer& b) { return a.name < b.name; });
  return all;
}

std::string GoldenTokenizerJson(const std::string& name) {
  return ReadAll(kFolder / name / "tokenizer.json");
}

std::string DecodeAll(const Tokenizer& tokenizer, const std::vector<TokenId>& ids,
                      bool skip_special) {
  Detokenizer detokenizer;
  std::string text;
  for (const TokenId id : ids) {
    if (skip_special && tokenizer.IsSpecial(id)) continue;
    detokenizer.Append(tokenizer.BytesOf(id), text);
  }
  detokenizer.Flush(text);
  return text;
}

}  // namespace baton::testing
