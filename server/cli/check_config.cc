#include "server/cli/check_config.h"

#include "absl/strings/str_cat.h"
#include "config/effective.h"
#include "config/reference.h"

namespace baton {
namespace {

CheckConfigResult Invalid(const absl::Status& status) {
  return {kExitUsage, "", absl::StrCat(status.message(), "\n")};
}

std::string NoticeLines(const LoadedConfig& loaded) {
  std::string lines;
  for (const Notice& notice : loaded.notices) {
    const bool warn = notice.severity == Notice::Severity::kWarn;
    absl::StrAppend(&lines, warn ? "warning: " : "", notice.text, "\n");
  }
  return lines;
}

}  // namespace

CheckConfigResult CheckConfig(const CheckConfigOptions& options, const LoadInputs& inputs,
                              const LoadInputs& other) {
  if (options.reference) return {kExitOk, ConfigReference(), ""};
  const absl::StatusOr<LoadedConfig> loaded = LoadConfig(inputs);
  if (!loaded.ok()) return Invalid(loaded.status());
  CheckConfigResult result = {kExitOk, "", NoticeLines(*loaded)};
  if (options.diff_file.empty()) {
    const bool json = options.format == CheckConfigOptions::Format::kJson;
    result.out = json ? EffectiveJson(*loaded) : EffectiveYaml(*loaded);
    return result;
  }
  const absl::StatusOr<LoadedConfig> compared = LoadConfig(other);
  if (!compared.ok()) return Invalid(compared.status());
  result.out = EffectiveDiff(*compared, *loaded);
  return result;
}

}  // namespace baton
