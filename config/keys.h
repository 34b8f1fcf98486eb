// The table of all keys, in the order in which they are printed, and look-ups in it. The rows stand
// by section in config/keys_*.cc.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "config/key.h"

namespace baton {

/// A heading of config/reference.md and its rows.
struct KeyGroup {
  absl::string_view title;
  absl::Span<const Key> keys;
};

/// All groups: Baton's sections first, then the flat keys. Valid for ever.
std::vector<KeyGroup> KeyGroups();

/// Every row of every group, in order.
std::vector<const Key*> AllKeys();

/// The row of a path, or null. A row whose path ends in `*` is that of all names so begun.
const Key* FindKey(absl::string_view path);

/// True for the first part of some key's path: "router", "router.retries".
bool IsSection(absl::string_view path);

/// The canonical value of a row's default.
JsonValue DefaultOf(const Key& key);

absl::Span<const Key> ModelKeys();
absl::Span<const Key> CacheKeys();
absl::Span<const Key> TransferKeys();
absl::Span<const Key> RouterKeys();
absl::Span<const Key> WorkerKeys();
absl::Span<const Key> ServerKeys();
absl::Span<const Key> FirstExampleKeys();    // the flat keys of this dialect's first example
absl::Span<const Key> LmcachePdKeys();       // LMCache: prefill/decode
absl::Span<const Key> LmcacheTierKeys();     // LMCache: tiers
absl::Span<const Key> LmcacheIgnoredKeys();  // LMCache: plumbing that has no counterpart
absl::Span<const Key> LmcacheRefusedKeys();  // LMCache: what would change results or security

}  // namespace baton
