// From a map of nested sections to entries with full paths; unknown names are told with the nearest
// known one.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace baton {

/// What is done with a name that the table does not hold.
enum class Unknown { kError, kWarn };

/// Adds `node`'s entries below `prefix` ("" for the whole file) to `entries`. The origin of each is
/// `origin` with the key's line.
void WalkSection(const std::string& prefix, const YamlNode& node, const Origin& origin,
                 Unknown unknown, std::vector<Entry>& entries, Findings& findings);

/// "unknown key; did you mean router.port"; names beside `path` first, then those of other sections
/// that end alike.
std::string DescribeUnknown(const std::string& path);

}  // namespace baton
