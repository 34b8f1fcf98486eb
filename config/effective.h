// The configuration as it came out: every knob with its value and who said so. It is a valid file
// itself, and loading it has the same effect.
#pragma once

#include <string>

#include "config/load.h"

namespace baton {

/// As YAML, sections first, each line with its origin: `# file:12 nixl_role`, `# environment X`,
/// `# --flag`, `# default`. Keys that became others, or are ignored or refused, are not in it; nor
/// are secrets.
std::string EffectiveYaml(const LoadedConfig& loaded);

/// As JSON, nested as the YAML, without origins; infinity is the text ".inf".
std::string EffectiveJson(const LoadedConfig& loaded);

/// The lines that differ: `- path: value  # origin` of `before`, `+ ...` of `after`. Empty when the
/// two have one effect.
std::string EffectiveDiff(const LoadedConfig& before, const LoadedConfig& after);

}  // namespace baton
