#include "config/keys.h"

#include "absl/strings/match.h"
#include "base/check.h"

namespace baton {

std::vector<KeyGroup> KeyGroups() {
  return {
      {"The model", ModelKeys()},
      {"Pages", CacheKeys()},
      {"Hand-offs", TransferKeys()},
      {"The router", RouterKeys()},
      {"Workers", WorkerKeys()},
      {"Observability and the process", ServerKeys()},
      {"Flat keys", FirstExampleKeys()},
      {"LMCache: prefill and decode", LmcachePdKeys()},
      {"LMCache: tiers", LmcacheTierKeys()},
      {"LMCache: without a counterpart", LmcacheIgnoredKeys()},
      {"LMCache: refused", LmcacheRefusedKeys()},
  };
}

std::vector<const Key*> AllKeys() {
  std::vector<const Key*> all;
  for (const KeyGroup& group : KeyGroups()) {
    for (const Key& key : group.keys) all.push_back(&key);
  }
  return all;
}

const Key* FindKey(absl::string_view path) {
  for (const KeyGroup& group : KeyGroups()) {
    for (const Key& key : group.keys) {
      if (key.path == path) return &key;
      const bool family = absl::EndsWith(key.path, "*");
      if (family && absl::StartsWith(path, key.path.substr(0, key.path.size() - 1))) return &key;
    }
  }
  return nullptr;
}

bool IsSection(absl::string_view path) {
  for (const KeyGroup& group : KeyGroups()) {
    for (const Key& key : group.keys) {
      const bool longer = key.path.size() > path.size() && key.path[path.size()] == '.';
      if (longer && absl::StartsWith(key.path, path)) return true;
    }
  }
  return false;
}

JsonValue DefaultOf(const Key& key) {
  const YamlTree tree = ParseYaml(key.default_text);
  BATON_CHECK(tree.errors.empty());
  absl::StatusOr<JsonValue> value = ReadValue(key.type, tree.root, false);
  BATON_CHECK(value.ok());  // held by the test that reads every row
  return *std::move(value);
}

}  // namespace baton
