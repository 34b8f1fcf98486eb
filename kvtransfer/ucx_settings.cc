#include "kvtransfer/ucx_settings.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "kvtransfer/ucx_window.h"

namespace baton {
namespace {

void AddShm(std::vector<UcxSetting>& out) {
  // Endpoints that report a peer's death refuse shared memory without this, and fall back to TCP
  // in silence. (UCX lists the option as POSIX_... and SYSV_..., but this way in takes MM_...
  // only.)
  out.push_back({"MM_ERROR_HANDLING", "y"});
  out.push_back({"MM_SEG_SIZE", absl::StrCat(kSegmentBytes)});
  out.push_back({"MM_FIFO_SIZE", absl::StrCat(kQueueSegments)});
  out.push_back({"MM_FIFO_RELEASE_FACTOR",
                 absl::StrFormat("%.4f", double{kReleaseSegments} / double{kQueueSegments})});
  // One chunk of segments for the queue, and one in hand.
  out.push_back({"MM_RX_BUFS_GROW", absl::StrCat(kQueueSegments + 2)});
}

absl::Status AddTcp(const UcxOptions& options, std::vector<UcxSetting>& out) {
  std::string devices = absl::StrJoin(options.net_devices, ",");
  if (devices.empty()) {
    BATON_ASSIGN_OR_RETURN(devices, DeviceOfHost(options.host));
  }
  out.push_back({"NET_DEVICES", std::move(devices)});
  // UCX lists these as TCP_..., but this way in takes them bare.
  if (!options.tcp_ports.empty()) out.push_back({"PORT_RANGE", options.tcp_ports});
  out.push_back({"TX_SEG_SIZE", "16K"});   // a message in one buffer
  out.push_back({"RX_SEG_SIZE", "512K"});  // a frame of 256 KiB without reassembly
  out.push_back({"PUT_ENABLE", "n"});      // nobody writes into us but through the sink
  // Left alone, making an endpoint waits in connect(): to a machine that is cut off, for minutes,
  // and the one thread that hands over to everybody else waits with it.
  out.push_back({"CONN_NB", "y"});
  return absl::OkStatus();
}

bool HasAddress(const sockaddr* address, absl::string_view host) {
  if (address == nullptr) return false;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, address, sizeof(ipv4));
    inet_ntop(AF_INET, &ipv4.sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, address, sizeof(ipv6));
    inet_ntop(AF_INET6, &ipv6.sin6_addr, text.data(), text.size());
  }
  return host == text.data();
}

}  // namespace

absl::StatusOr<UcxOptions> UcxOptionsFrom(const TransferConfig& config) {
  UcxOptions options;
  options.host = config.host;
  options.tcp_ports = config.tcp_ports == "any" ? "" : config.tcp_ports;
  options.net_devices = config.net_devices;
  options.keepalive = Milliseconds(config.keepalive_ms);
  if (config.transports.empty()) return options;
  options.shm = options.tcp = false;
  for (const std::string& name : config.transports) {
    if (name == "shm" && options.tcp) {
      return absl::InvalidArgumentError(
          "transfer.transports: tcp in front of shm cannot be had: UCX takes shared memory "
          "wherever "
          "it reaches the peer; write [shm, tcp], or [tcp] alone");
    }
    if (name != "shm" && name != "tcp") {
      return absl::InvalidArgumentError(absl::StrFormat(
          "transfer.transports: %s is not available with validated messages; choose shm, tcp",
          name));
    }
    (name == "shm" ? options.shm : options.tcp) = true;
  }
  return options;
}

absl::StatusOr<std::vector<UcxSetting>> UcxSettings(const UcxOptions& options) {
  if (!options.shm && !options.tcp) {
    return absl::InvalidArgumentError("transfer.transports names neither shm nor tcp");
  }
  std::vector<UcxSetting> out;
  out.push_back({"TLS", options.shm ? (options.tcp ? "posix,tcp" : "posix") : "tcp"});
  // Eager only: the handler copies while the lease is checked, so that closing a lease ends all
  // writes under it. A rendezvous would write to a place that was decided earlier.
  out.push_back({"RNDV_THRESH", "inf"});
  // One lane: more would let a message overtake frames as a rule, not as an exception.
  out.push_back({"MAX_EAGER_RAILS", "1"});
  out.push_back({"KEEPALIVE_INTERVAL",
                 absl::StrFormat("%.3fs", std::max(0.1, ToSeconds(options.keepalive)))});
  if (options.shm) AddShm(out);
  if (options.tcp) BATON_RETURN_IF_ERROR(AddTcp(options, out));
  return out;
}

std::vector<UcxSetting> UcxGlobalSettings() {
  // A peer's death is told by PeerLost; UCX's own lines about it would repeat it in another form.
  // Signal handlers belong to the process, not to a library.
  return {{"LOG_LEVEL", "fatal"}, {"HANDLE_ERRORS", "none"}};
}

std::vector<std::string> EnvironmentRemarks(std::span<const UcxSetting> settings,
                                            std::span<const std::string> environment) {
  std::vector<std::string> remarks;
  for (const std::string& variable : environment) {
    const std::size_t equals = variable.find('=');
    if (!absl::StartsWith(variable, "UCX_") || equals == std::string::npos) continue;
    const std::string name = variable.substr(4, equals - 4);
    const std::string value = variable.substr(equals + 1);
    const auto ours = std::find_if(settings.begin(), settings.end(),
                                   [&](const UcxSetting& setting) { return setting.name == name; });
    if (ours == settings.end()) {
      remarks.push_back(
          absl::StrFormat("UCX_%s=%s is followed by ucx: it is not ours to set", name, value));
    } else if (ours->value != value) {
      remarks.push_back(
          absl::StrFormat("UCX_%s=%s is overruled by %s: use the section transfer of "
                          "the configuration",
                          name, value, ours->value));
    }
  }
  return remarks;
}

absl::StatusOr<std::string> DeviceOfHost(absl::string_view host) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) {
    return absl::UnavailableError("the machine's network devices cannot be listed");
  }
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(first, &freeifaddrs);
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    if (HasAddress(at->ifa_addr, host)) return std::string(at->ifa_name);
  }
  return absl::InvalidArgumentError(absl::StrFormat(
      "transfer.host %s is not an address of this machine: name one of its addresses, or set "
      "transfer.net_devices",
      host));
}

}  // namespace baton
