#include "config/aliases.h"

namespace baton {
namespace {

constexpr Alias kAliases[] = {
    {"enable_nixl", "enable_pd"},
    {"enable_xpyd", "enable_pd"},
    {"nixl_role", "pd_role"},
    {"nixl_receiver_host", "pd_peer_host"},
    {"nixl_peer_host", "pd_peer_host"},
    {"nixl_receiver_port", "pd_peer_init_port"},
    {"nixl_peer_port", "pd_peer_init_port"},
    {"nixl_peer_init_port", "pd_peer_init_port"},
    {"nixl_peer_alloc_port", "pd_peer_alloc_port"},
    {"nixl_proxy_host", "pd_proxy_host"},
    {"nixl_proxy_port", "pd_proxy_port"},
    {"pd_retrieve_locations", "retrieve_locations"},
    {"controller_url", "controller_pull_url"},
    {"lmcache_worker_port", "lmcache_worker_ports"},
    {"plugin_locations", "runtime_plugin_locations"},
    {"external_backends", "storage_plugins"},
};

}  // namespace

absl::Span<const Alias> Aliases() { return kAliases; }

const Alias* FindAlias(absl::string_view name) {
  for (const Alias& alias : kAliases) {
    if (alias.old_name == name) return &alias;
  }
  return nullptr;
}

}  // namespace baton
