#include "server/up/cluster_plan.h"

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"

namespace baton {
namespace {

/// Longer than a killed worker's first back-off and its start together.
constexpr absl::string_view kRestartWaitMs = "10000";

/// Arguments as `--set path=value`, in the order in which the later wins.
class Arguments {
 public:
  Arguments(absl::string_view role, const CommandLine& command_line) {
    words_.emplace_back(role);
    if (!command_line.config_file.empty()) {
      words_.insert(words_.end(), {"--config", command_line.config_file});
    }
    if (command_line.lenient) words_.emplace_back("--config-lenient");
    for (const FlagSetting& setting : command_line.settings) Set(setting.path, setting.value);
  }

  void Set(absl::string_view path, absl::string_view value) {
    words_.insert(words_.end(), {"--set", absl::StrCat(path, "=", value)});
  }

  std::vector<std::string> Take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

bool IsDefault(const LoadedConfig& loaded, const std::string& path) {
  const auto origin = loaded.origins.find(path);
  return origin == loaded.origins.end() || origin->second.kind == Origin::Kind::kDefault;
}

/// The ports of one plan: none is given out twice.
class PortBook {
 public:
  explicit PortBook(const PortSource& source) : source_(source) {}

  absl::StatusOr<int> Take(int preferred) {
    if (preferred > 0 && !IsTaken(preferred) && source_.is_free(preferred)) return Note(preferred);
    for (int tries = 0; tries < 100; ++tries) {
      const int port = source_.any_free();
      if (port == 0) break;
      if (!IsTaken(port)) return Note(port);
    }
    return absl::UnavailableError("no free port is left on loopback");
  }

 private:
  bool IsTaken(int port) const {
    for (int taken : taken_) {
      if (taken == port) return true;
    }
    return false;
  }
  int Note(int port) {
    taken_.push_back(port);
    return port;
  }

  const PortSource& source_;
  std::vector<int> taken_;
};

/// Threads of each worker: the machine's cores shared out, so that roles on one machine do not
/// trample each other.
int ThreadsPerWorker(const UpOptions& up) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, cores / std::max(1, up.prefill_workers + up.decode_workers));
}

struct Planner {
  const LoadedConfig& loaded;
  const CommandLine& command_line;
  PortBook ports;
  std::uint32_t pages_each = 0;
  int grpc_port = 0;
  std::vector<PlannedRole> roles;

  absl::Status AddRouter() {
    const RouterConfig& router = loaded.config.router;
    BATON_ASSIGN_OR_RETURN(const int port, ports.Take(router.port));
    if (router.port != 0 && port != router.port) {
      return absl::UnavailableError(
          absl::StrFormat("port %d is taken; choose another with --port", router.port));
    }
    BATON_ASSIGN_OR_RETURN(grpc_port, ports.Take(router.grpc_port));
    Arguments arguments("router", command_line);
    arguments.Set("router.port", absl::StrCat(port));
    arguments.Set("router.grpc_port", absl::StrCat(grpc_port));
    // A worker that died comes back: requests that have begun wait for it.
    if (command_line.up.restart && IsDefault(loaded, "router.lost_worker_wait_ms")) {
      arguments.Set("router.lost_worker_wait_ms", kRestartWaitMs);
    }
    if (command_line.up.prefill_workers == 0) arguments.Set("router.alone_after_ms", "0");
    SetDrain(arguments);
    roles.push_back({"router", port, arguments.Take(), 0});
    return absl::OkStatus();
  }

  absl::Status AddWorkers(const std::string& role, int count, int first_port,
                          const std::string& device) {
    const UpOptions& up = command_line.up;
    for (int i = 0; i < count; ++i) {
      const std::string name = absl::StrCat(role, "-", i);
      BATON_ASSIGN_OR_RETURN(const int port, ports.Take(first_port + i));
      Arguments arguments(role, command_line);
      arguments.Set("server.worker_id", name);
      arguments.Set(absl::StrCat(role, ".http_port"), absl::StrCat(port));
      arguments.Set("router.endpoints", absl::StrCat("['127.0.0.1:", grpc_port, "']"));
      arguments.Set("server.worker_host", "127.0.0.1");  // where readiness is probed
      if (pages_each > 0) arguments.Set("cache.pages", absl::StrCat(pages_each));
      if (!device.empty()) arguments.Set("model.device", device);
      if (IsDefault(loaded, "model.cpu_threads")) {
        arguments.Set("model.cpu_threads", absl::StrCat(ThreadsPerWorker(up)));
      }
      if (IsDefault(loaded, "transfer.tcp_ports")) arguments.Set("transfer.tcp_ports", "any");
      SetDrain(arguments);
      const bool elsewhere = first_port > 0 && port != first_port + i;
      roles.push_back({name, port, arguments.Take(), elsewhere ? first_port + i : 0});
    }
    return absl::OkStatus();
  }

  /// Nothing in front of this machine's cluster lags behind its readiness, so nothing waits for it.
  void SetDrain(Arguments& arguments) const {
    if (IsDefault(loaded, "server.drain.grace_seconds")) {
      arguments.Set("server.drain.grace_seconds", "0");
    }
  }
};

}  // namespace

absl::StatusOr<std::vector<PlannedRole>> PlanCluster(const LoadedConfig& loaded,
                                                     const CommandLine& command_line,
                                                     const PortSource& ports,
                                                     std::uint32_t pages_each) {
  const UpOptions& up = command_line.up;
  if (up.decode_workers < 1) {
    return absl::InvalidArgumentError("a cluster needs at least one decode worker");
  }
  Planner planner{loaded, command_line, PortBook(ports), pages_each, 0, {}};
  BATON_RETURN_IF_ERROR(planner.AddRouter());
  BATON_RETURN_IF_ERROR(planner.AddWorkers("prefill", up.prefill_workers,
                                           loaded.config.prefill.http_port, up.prefill_device));
  BATON_RETURN_IF_ERROR(planner.AddWorkers("decode", up.decode_workers,
                                           loaded.config.decode.http_port, up.decode_device));
  return std::move(planner.roles);
}

}  // namespace baton
