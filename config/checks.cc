#include "config/checks.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "config/text_rules.h"

namespace baton {
namespace {

std::int64_t IntegerAt(const Settings& settings, absl::string_view path) {
  std::int64_t value = 0;
  settings.At(path).value.AsInt(&value);
  return value;
}

double NumberAt(const Settings& settings, absl::string_view path) {
  double value = 0;
  settings.At(path).value.AsDouble(&value);
  return value;
}

/// Names the key as the file has it, which may be another's that stands for this one.
void ErrorAt(const Setting& setting, const std::string& message, Findings& findings) {
  const bool written = setting.origin.kind == Origin::Kind::kFile;
  const std::string path(setting.key->path);
  findings.Error(DescribeOrigin(setting.origin), written ? setting.origin.name : path, message);
}

void CheckPageRun(const Settings& settings, Findings& findings) {
  const std::int64_t run = IntegerAt(settings, "chunk_size");
  const std::int64_t page = IntegerAt(settings, "cache.page_tokens");
  if (run % page == 0) return;
  const bool page_at_fault = !settings.IsSet("chunk_size");
  const std::int64_t below = run / page * page;
  const std::string neighbours =
      below > 0 ? absl::StrFormat("%d or %d", below, below + page) : absl::StrFormat("%d", page);
  ErrorAt(settings.At(page_at_fault ? "cache.page_tokens" : "chunk_size"),
          absl::StrFormat("expected chunk_size to be a multiple of cache.page_tokens (%d), got %d; "
                          "did you mean %s",
                          page, run, neighbours),
          findings);
}

void CheckRole(Role role, const Settings& settings, Findings& findings) {
  if (role != Role::kPrefill && role != Role::kDecode) return;
  const Setting& pd_role = settings.At("pd_role");
  const std::string* const named = pd_role.value.AsString();
  if (named != nullptr && absl::string_view(*named) != RoleName(role)) {
    ErrorAt(pd_role,
            absl::StrFormat("expected the role of the command line, %s, got %s", RoleName(role),
                            *named),
            findings);
  }
  const Setting& enable = settings.At("enable_pd");
  const bool* const enabled = enable.value.AsBool();
  if (enabled != nullptr && !*enabled) {
    ErrorAt(enable,
            absl::StrFormat("expected true for role %s, got false; leave it out", RoleName(role)),
            findings);
  }
}

/// Between Baton's own processes nothing is encrypted or authenticated yet.
void CheckInternalAddresses(const Settings& settings, Findings& findings) {
  constexpr const char* kInternal[] = {"router.grpc_host", "server.worker_host", "transfer.host",
                                       "router.endpoints", "router.prefill",     "router.decode"};
  for (const char* path : kInternal) {
    const Setting& setting = settings.At(path);
    std::vector<std::string> addresses;
    if (setting.value.AsString() != nullptr) addresses.push_back(*setting.value.AsString());
    if (setting.value.AsArray() != nullptr) {
      for (const JsonValue& item : *setting.value.AsArray()) addresses.push_back(*item.AsString());
    }
    for (const std::string& address : addresses) {
      if (IsLoopback(HostOf(address))) continue;
      ErrorAt(setting,
              absl::StrFormat("expected a loopback address such as 127.0.0.1, got '%s': traffic "
                              "between workers has no TLS yet, so it must not leave this machine",
                              address),
              findings);
    }
  }
}

void CheckDevice(const Settings& settings, Findings& findings) {
  const Setting& parallel = settings.At("model.tensor_parallel");
  if (IntegerAt(settings, "model.tensor_parallel") > 1) {
    ErrorAt(parallel, "expected 1, got more: one model on several devices is not supported yet",
            findings);
  }
  const Setting& device = settings.At("model.device");
  const std::string* const name = device.value.AsString();
  if (name != nullptr && absl::StartsWith(*name, "cuda")) {
    ErrorAt(device, "expected auto or cpu, got cuda: this version has no cuda backend", findings);
  }
}

void CheckTimes(const Settings& settings, Findings& findings) {
  if (IntegerAt(settings, "transfer.renew_ms") * 2 > IntegerAt(settings, "transfer.lease_ms")) {
    ErrorAt(settings.At("transfer.renew_ms"),
            "expected at most half of transfer.lease_ms: one renewal may be lost", findings);
  }
  if (IntegerAt(settings, "router.worker_ttl_seconds") <=
      IntegerAt(settings, "router.heartbeat_seconds")) {
    ErrorAt(settings.At("router.heartbeat_seconds"),
            "expected less than router.worker_ttl_seconds: a live worker would look lost",
            findings);
  }
}

void CheckPool(const Settings& settings, Findings& findings) {
  const Setting& promised = settings.At("cache.promised_fraction_max");
  if (NumberAt(settings, "cache.promised_fraction_max") <= 0) {
    ErrorAt(promised, "expected more than 0: no hand-off could ever be promised a page", findings);
  }
  if (NumberAt(settings, "cache.promised_fraction_max") +
          NumberAt(settings, "cache.growth_watermark") >
      1) {
    ErrorAt(settings.At("cache.growth_watermark"),
            "expected at most what cache.promised_fraction_max leaves of the pool", findings);
  }
}

void CheckDisk(const Settings& settings, Findings& findings) {
  const Setting& disk = settings.At("local_disk");
  if (disk.value.is_null() || NumberAt(settings, "max_local_disk_size") > 0) return;
  ErrorAt(disk, "expected max_local_disk_size beside it: with 0 nothing would be kept", findings);
}

/// Ports of one process, 0 being any free one.
void CheckPorts(const Settings& settings, const std::vector<const char*>& paths,
                Findings& findings) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::int64_t port = IntegerAt(settings, paths[i]);
    for (std::size_t j = 0; j < i && port != 0; ++j) {
      if (IntegerAt(settings, paths[j]) != port) continue;
      ErrorAt(settings.At(paths[i]),
              absl::StrFormat("expected a port of its own, got %d as %s has", port, paths[j]),
              findings);
    }
  }
}

}  // namespace

void CheckTogether(Role role, const Settings& settings, Findings& findings) {
  CheckPageRun(settings, findings);
  CheckRole(role, settings, findings);
  CheckInternalAddresses(settings, findings);
  CheckDevice(settings, findings);
  CheckTimes(settings, findings);
  CheckPool(settings, findings);
  CheckDisk(settings, findings);
  CheckPorts(settings,
             {"router.port", "router.grpc_port", "router.public_grpc_port", "router.metrics_port"},
             findings);
}

}  // namespace baton
