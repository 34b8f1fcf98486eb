#include "engine/model/shard_index.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"

namespace baton {
namespace {

// Eight times the tensors of the largest released model.
constexpr std::size_t kValuesMax = 1'000'000;

absl::Status BadIndex(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(kShardIndexName, ": ", what));
}

bool IsPlainName(absl::string_view name) {
  return absl::EndsWith(name, ".safetensors") && name.front() != '.' &&
         name.find('/') == absl::string_view::npos && name.find('\0') == absl::string_view::npos;
}

}  // namespace

absl::StatusOr<std::map<std::string, std::set<std::string>>> ParseShardIndex(
    absl::string_view text) {
  JsonLimits limits;
  limits.values_max = kValuesMax;
  limits.errors_name_keys = true;
  const absl::StatusOr<JsonValue> parsed = ParseJson(text, limits);
  if (!parsed.ok()) return BadIndex(parsed.status().message());
  const JsonObject* root = parsed->AsObject();
  const JsonValue* map = root == nullptr ? nullptr : root->Find("weight_map");
  if (map == nullptr || map->AsObject() == nullptr) return BadIndex("weight_map is missing");
  std::map<std::string, std::set<std::string>> shards;
  for (const auto& [tensor, file] : map->AsObject()->members()) {
    if (file.AsString() == nullptr || !IsPlainName(*file.AsString())) {
      return BadIndex("weight_map must name .safetensors files inside the directory");
    }
    shards[*file.AsString()].insert(tensor);
  }
  return shards;
}

}  // namespace baton
