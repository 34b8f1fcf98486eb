#include "config/mapping.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace baton {
namespace {

constexpr std::int64_t kProxyPortDefault = 7500;  // router.grpc_port's

/// One name for another, value unchanged.
void Rename(absl::string_view from, absl::string_view to, Settings& settings, Findings& findings) {
  if (!settings.IsSet(from)) return;
  const Setting setting = settings.At(from);
  if (!setting.value.is_null()) settings.Map(to, setting.value, setting.origin, findings);
}

bool SaysTrue(const JsonValue& value) {
  if (value.AsBool() != nullptr) return *value.AsBool();
  return value.AsString() != nullptr && *value.AsString() == "true";
}

void MapAttention(Settings& settings, Findings& findings) {
  const Setting flashmla = settings.At("use_flashmla");
  const Setting flex = settings.At("use_flexdecoding");
  if (SaysTrue(flashmla.value) && SaysTrue(flex.value)) {
    findings.Error(DescribeOrigin(flex.origin), "use_flexdecoding",
                   "expected one of use_flashmla and use_flexdecoding to be true, got both");
    return;
  }
  if (SaysTrue(flashmla.value)) {
    settings.Map("decode.attention", "flashmla", flashmla.origin, findings);
  }
  if (SaysTrue(flex.value)) settings.Map("decode.attention", "flex", flex.origin, findings);
}

/// Of 2025's files `nixl_buffer_*` is `pd_buffer_*`; beside keys of today's names it is LMCache's
/// storage staging, which has no counterpart.
void MapBuffers(Settings& settings, Findings& findings) {
  if (!settings.AnyWrittenWithPrefix("pd_")) {
    Rename("nixl_buffer_size", "pd_buffer_size", settings, findings);
    Rename("nixl_buffer_device", "pd_buffer_device", settings, findings);
  }
  Rename("pd_buffer_device", "model.device", settings, findings);
}

void MapPeer(Role role, Settings& settings, Findings& findings) {
  if (role != Role::kDecode) return;  // on a prefill worker a hint: the router names the peer
  Rename("pd_peer_host", "transfer.host", settings, findings);
  const Setting port = settings.At("pd_peer_init_port");
  const JsonArray* const list = port.value.AsArray();
  if (list == nullptr || list->empty()) return;
  const auto append = [](std::string* out, const JsonValue& item) {
    absl::StrAppend(out, *item.AsString());
  };
  settings.Map("transfer.tcp_ports", absl::StrJoin(*list, ",", append), port.origin, findings);
}

/// The proxy is where workers register: one more endpoint, unless a stronger source lists them.
void MapProxy(Settings& settings) {
  const Setting host = settings.At("pd_proxy_host");
  if (host.value.is_null()) return;
  const Setting port = settings.At("pd_proxy_port");
  std::int64_t number = kProxyPortDefault;
  if (!port.value.is_null()) port.value.AsInt(&number);
  const Setting endpoints = settings.At("router.endpoints");
  if (endpoints.origin.kind > host.origin.kind) return;
  JsonArray list;
  if (endpoints.value.AsArray() != nullptr) list = *endpoints.value.AsArray();
  const std::string address = absl::StrCat(*host.value.AsString(), ":", number);
  for (const JsonValue& item : list) {
    if (*item.AsString() == address) return;
  }
  list.emplace_back(address);
  settings.Replace("router.endpoints", JsonValue(std::move(list)), host.origin);
}

void MapChannel(Settings& settings, Findings& findings) {
  const Setting channel = settings.At("transfer_channel");
  if (channel.value.is_null()) return;
  const std::string name = *channel.value.AsString();
  JsonValue transports = name == "ucx" ? JsonValue("auto") : JsonValue(JsonArray{JsonValue(name)});
  settings.Map("transfer.transports", std::move(transports), channel.origin, findings);
}

void MapInternalServer(Role role, Settings& settings, Findings& findings) {
  if (!SaysTrue(settings.At("internal_api_server_enabled").value)) return;
  Rename("internal_api_server_host", "server.worker_host", settings, findings);
  if (role == Role::kPrefill) {
    Rename("internal_api_server_port_start", "prefill.http_port", settings, findings);
  }
  if (role == Role::kDecode) {
    Rename("internal_api_server_port_start", "decode.http_port", settings, findings);
  }
}

}  // namespace

Role RoleOfFile(Role role, const Settings& settings) {
  if (role != Role::kAny) return role;
  const std::string* const named = settings.At("pd_role").value.AsString();
  if (named == nullptr) return Role::kAny;
  return *named == "prefill" ? Role::kPrefill : Role::kDecode;
}

void MapKeys(Role role, Settings& settings, Findings& findings) {
  const Role file_role = RoleOfFile(role, settings);
  MapAttention(settings, findings);
  MapBuffers(settings, findings);
  MapPeer(file_role, settings, findings);
  MapProxy(settings);
  MapChannel(settings, findings);
  MapInternalServer(file_role, settings, findings);
  Rename("lmcache_instance_id", "server.worker_id", settings, findings);
  Rename("lmcache_worker_heartbeat_time", "router.heartbeat_seconds", settings, findings);
}

}  // namespace baton
