// Lets a script ask a tokenizer: one JSON array a line on stdin, one JSON value a line on stdout.
//
//   usage: tokenizer_driver DIRECTORY
//   ["encode", [TEXT...], ADD_SPECIAL]  -> ids of each
//   ["decode", IDS, SKIP_SPECIAL]  -> text
//   ["compose", [TEXT...]]         -> the canonical composition (NFC) of each
//   ["time", [TEXT...]]            -> {"seconds": of the processor, "tokens": N}
//   {"error": MESSAGE} where the tokenizer refuses.
#include <ctime>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "server/text/nfc.h"
#include "server/text/tokenizer.h"
#include "tests/server/text/golden_tokenizers.h"

namespace baton::testing {
namespace {

JsonValue Refusal(const absl::Status& status) { return MakeJson({{"error", status.message()}}); }

JsonValue Encode(const Tokenizer& tokenizer, const JsonArray& call) {
  JsonArray lists;
  for (const JsonValue& text : *call[1].AsArray()) {
    const auto ids = tokenizer.Encode(*text.AsString(), {.add_special_tokens = *call[2].AsBool()});
    if (!ids.ok()) return Refusal(ids.status());
    JsonArray list;
    for (const TokenId id : *ids) list.emplace_back(id);
    lists.emplace_back(std::move(list));
  }
  return lists;
}

JsonValue Decode(const Tokenizer& tokenizer, const JsonArray& call) {
  std::vector<TokenId> ids;
  for (const JsonValue& item : *call[1].AsArray()) {
    std::int64_t id = 0;
    item.AsInt(&id);
    ids.push_back(static_cast<TokenId>(id));
  }
  return DecodeAll(tokenizer, ids, *call[2].AsBool());
}

JsonValue Compose(const JsonArray& call) {
  const Nfc nfc;
  JsonArray texts;
  for (const JsonValue& text : *call[1].AsArray()) {
    texts.emplace_back(std::string(nfc.Normalize(MarkedText(*text.AsString(), false)).text()));
  }
  return texts;
}

JsonValue Time(const Tokenizer& tokenizer, const JsonArray& call) {
  std::int64_t tokens = 0;
  const std::clock_t start = std::clock();  // of this process alone: the machine is shared
  for (const JsonValue& text : *call[1].AsArray()) {
    const auto ids = tokenizer.Encode(*text.AsString(), {});
    if (!ids.ok()) return Refusal(ids.status());
    tokens += static_cast<std::int64_t>(ids->size());
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  return MakeJson({{"seconds", seconds}, {"tokens", tokens}});
}

JsonValue Answer(const Tokenizer& tokenizer, const std::string& line) {
  const auto call = ParseJson(line);
  if (!call.ok()) return Refusal(call.status());
  const JsonArray& list = *call->AsArray();
  const std::string& what = *list[0].AsString();
  if (what == "encode") return Encode(tokenizer, list);
  if (what == "decode") return Decode(tokenizer, list);
  if (what == "compose") return Compose(list);
  return Time(tokenizer, list);
}

int Run(const std::string& directory) {
  ModelConfig model;
  model.path = directory;
  const auto tokenizer = MakeTokenizer(model);
  if (!tokenizer.ok()) {
    std::cerr << tokenizer.status().message() << "\n";
    return 1;
  }
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << WriteJson(Answer(**tokenizer, line)) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace baton::testing

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  if (argc != 2) return 2;
  return baton::testing::Run(argv[1]);
}
