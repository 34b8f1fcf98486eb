// model.safetensors.index.json: which tensor stands in which shard. Hostile until it is checked: a
// shard is a plain file name, so that nothing outside the directory can be meant.
#pragma once

#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton {

inline constexpr char kShardIndexName[] = "model.safetensors.index.json";

/// The tensors of each shard. Errors: InvalidArgument names the file.
absl::StatusOr<std::map<std::string, std::set<std::string>>> ParseShardIndex(
    absl::string_view text);

}  // namespace baton
