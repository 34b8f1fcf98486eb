#include "server/cli/flag_parse.h"

#include "base/json.h"
#include "config/keys.h"

namespace baton {

void FlagParse::Warn(std::string message) {
  line_.notices.push_back({Notice::Severity::kWarn, std::move(message)});
}

void FlagParse::Info(std::string message) {
  line_.notices.push_back({Notice::Severity::kInfo, std::move(message)});
}

void FlagParse::SetYaml(absl::string_view path, absl::string_view yaml,
                        absl::string_view spelling) {
  line_.settings.push_back({std::string(path), std::string(yaml), std::string(spelling)});
}

void FlagParse::SetKnob(absl::string_view path, absl::string_view typed,
                        absl::string_view spelling) {
  const Key* const key = FindKey(path);
  const bool text = key != nullptr && key->type.kind == ValueType::Kind::kText;
  if (!text) return SetYaml(path, typed, spelling);
  std::string quoted;
  AppendJsonString(typed, quoted);
  SetYaml(path, quoted, spelling);
}

void FlagParse::AppendKnob(absl::string_view path, const std::string& item,
                           absl::string_view spelling) {
  std::string quoted;
  AppendJsonString(item, quoted);
  for (FlagSetting& setting : line_.settings) {
    const bool same = setting.path == path && absl::string_view(setting.spelling) == spelling;
    if (!same) continue;
    setting.value.pop_back();  // the closing bracket
    setting.value += ", " + quoted + "]";
    return;
  }
  SetYaml(path, "[" + quoted + "]", spelling);
}

}  // namespace baton
