#include "config/verdicts.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace baton {
namespace {

/// Sub-keys of extra_config that mean something here. Source: LMCache, lmcache/v1, at 000620e3.
bool IsKnownExtra(absl::string_view name) {
  constexpr const char* kBeginnings[] = {"use_odirect",       "fs_connector_",
                                         "save_chunk_meta",   "gpu_to_numa_mapping",
                                         "histogram_bucket_", "remote_storage_plugin."};
  for (const char* beginning : kBeginnings) {
    if (absl::StartsWith(name, beginning)) return true;
  }
  return false;
}

void WarnOfExtras(const Setting& extra, Findings& findings) {
  if (extra.value.AsObject() == nullptr) return;
  for (const auto& [name, value] : extra.value.AsObject()->members()) {
    if (IsKnownExtra(name)) continue;
    findings.Warn(absl::StrFormat("%s: extra_config.%s: ignored: nothing here knows it",
                                  DescribeOrigin(extra.origin), name));
  }
}

void WarnOfPolicy(const Setting& policy, Findings& findings) {
  if (policy.value.AsString() == nullptr || *policy.value.AsString() == "LRU") return;
  findings.Warn(absl::StrFormat("%s: cache_policy: %s runs as LRU", DescribeOrigin(policy.origin),
                                *policy.value.AsString()));
}

}  // namespace

void ReportVerdicts(const Settings& settings, Findings& findings) {
  std::vector<std::string> ignored;
  std::vector<std::string> later;
  for (const Setting& setting : settings.all()) {
    const Key& key = *setting.key;
    const bool set = setting.origin.kind != Origin::Kind::kDefault;
    if (!set) continue;
    const bool away = settings.IsAwayFromDefault(setting);
    const std::string where = DescribeOrigin(setting.origin);
    if (key.verdict == Verdict::kIgnore) ignored.emplace_back(key.path);
    if (key.verdict == Verdict::kWarn && away) {
      findings.Warn(absl::StrFormat("%s: %s: ignored: %s", where, key.path, key.help));
    }
    if (key.verdict == Verdict::kRefuse && away) {
      findings.Error(where, key.path, absl::StrCat("refused: ", key.help));
    }
    if (key.effect == Effect::kLater && away) later.emplace_back(key.path);
  }
  WarnOfExtras(settings.At("extra_config"), findings);
  WarnOfPolicy(settings.At("cache_policy"), findings);
  const std::string staging = "nixl_buffer_size";
  if (settings.IsSet(staging) && settings.AnyWrittenWithPrefix("pd_")) ignored.push_back(staging);
  if (!ignored.empty()) findings.Info(absl::StrCat("ignored keys: ", absl::StrJoin(ignored, ", ")));
  if (!later.empty()) findings.Info(absl::StrCat("no effect yet: ", absl::StrJoin(later, ", ")));
}

}  // namespace baton
