// Which family of models a config.json belongs to, and that family's reading of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/json.h"
#include "engine/model/architecture.h"

namespace baton {

struct ParsedConfig {
  std::unique_ptr<const Architecture> architecture;
  std::vector<std::string> unknown_fields;  // neither read nor known to be harmless
};

/// `generation` is generation_config.json, or null when the directory has none.
/// Errors: InvalidArgument names the field that is missing, of a wrong type or out of range;
/// Unimplemented names what the model would need.
absl::StatusOr<ParsedConfig> ParseConfigJson(const JsonValue& config, const JsonValue* generation);

}  // namespace baton
