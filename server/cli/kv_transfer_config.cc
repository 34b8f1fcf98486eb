// vLLM's --kv-transfer-config: a JSON object whose fields are knobs here.
// Source: vLLM, vllm/config/kv_transfer.py (names and meaning of the fields).
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/json.h"
#include "server/cli/flag_handlers.h"

namespace baton {
namespace {

/// A scalar as it would be typed; empty for a list, an object or null.
std::string Typed(const JsonValue& value) {
  if (value.AsString() != nullptr) return *value.AsString();
  const bool container = value.AsArray() != nullptr || value.AsObject() != nullptr;
  return container || value.is_null() ? "" : WriteJson(value);
}

struct FieldKnob {
  const char* field;
  const char* path;
};
constexpr FieldKnob kFieldKnobs[] = {
    {"kv_buffer_size", "pd_buffer_size"},
    {"kv_buffer_device", "pd_buffer_device"},
    {"engine_id", "server.worker_id"},
    {"kv_load_failure_policy", "transfer.on_failure"},
};

bool SetField(FlagParse& parse, const FlagSpec& flag, const std::string& field,
              const JsonValue& value) {
  const std::string typed = Typed(value);
  for (const FieldKnob& knob : kFieldKnobs) {
    if (field != knob.field || typed.empty()) continue;
    parse.SetKnob(knob.path, typed, absl::StrCat(flag.name, " ", field));
    return true;
  }
  if (field == "kv_role") {
    if (typed != "kv_both") parse.SetKnob("pd_role", typed, absl::StrCat(flag.name, " kv_role"));
    return true;
  }
  double seconds = 0;
  constexpr double kSecondsMax = 1e6;
  if (field != "kv_lease_duration" || !value.AsDouble(&seconds)) return false;
  if (!(seconds >= 0) || seconds > kSecondsMax) return false;
  parse.SetYaml("transfer.lease_ms", absl::StrCat(std::llround(seconds * 1000)),
                absl::StrCat(flag.name, " kv_lease_duration"));
  return true;
}

}  // namespace

void SetKvTransfer(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  const absl::StatusOr<JsonValue> json = ParseJson(value);
  if (!json.ok() || json->AsObject() == nullptr) {
    return parse.Error(absl::StrFormat("%s: expected a JSON object, got %s", flag.name,
                                       json.ok() ? json->TypeName() : json.status().message()));
  }
  std::vector<std::string> ignored;
  for (const auto& [field, field_value] : json->AsObject()->members()) {
    const bool extra = field == "kv_connector_extra_config" && field_value.AsObject() != nullptr;
    if (!extra) {
      if (!SetField(parse, flag, field, field_value)) ignored.push_back(field);
      continue;
    }
    for (const auto& [name, extra_value] : field_value.AsObject()->members()) {
      if (!SetField(parse, flag, name, extra_value)) ignored.push_back(name);
    }
  }
  if (!ignored.empty()) {
    parse.Info(absl::StrCat(flag.name, ": ignored: ", absl::StrJoin(ignored, ", ")));
  }
}

}  // namespace baton
