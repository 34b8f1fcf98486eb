// The pages that probes, pickers and Prometheus ask for, the same for every role: /livez, /readyz,
// /health, /ping, /version, /metrics (and the usual other spellings).
//
// The callbacks run on the HTTP thread: they must not wait, and read what another thread publishes
// (an atomic, a snapshot under a short lock).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "server/http/http_server.h"

namespace baton {

struct HealthCallbacks {
  /// True while the role's own threads make progress; never asks peers.
  std::function<bool()> alive;

  /// Nothing when the role may get work, else the reason in a few words ("no decode worker",
  /// "draining").
  std::function<std::optional<std::string>()> not_ready;

  /// The Prometheus exposition (Metrics::Expose).
  std::function<std::string()> metrics;

  std::string version;
};

void MountHealth(HttpServer& server, HealthCallbacks callbacks);

}  // namespace baton
