// Rules of text that several keys share: hosts, addresses, ports, devices.
#pragma once

#include "absl/strings/string_view.h"
#include "config/value.h"

namespace baton {

bool IsHost(absl::string_view text);       // a name or an address without a port
bool IsAddress(absl::string_view text);    // host:port
bool IsWorkerUrl(absl::string_view text);  // host:port, or http://host:port
bool IsPortList(absl::string_view text);   // 7300, 7300-7309, "7300,7301"
bool IsDevice(absl::string_view text);     // auto, cpu, cuda, cuda:N
bool IsPort(absl::string_view text);       // 0..65535

/// True where a peer can only be on this machine: 127.0.0.0/8, ::1, localhost. A
/// name that would have to be resolved is none.
bool IsLoopback(absl::string_view host);

/// The host of "host:port", "[::1]:port" or "http://host:port"; the whole text when it has no port.
absl::string_view HostOf(absl::string_view address);

inline constexpr TextRule kHost = {"a host such as 127.0.0.1", &IsHost};
inline constexpr TextRule kAddress = {"an address such as 127.0.0.1:7500", &IsAddress};
inline constexpr TextRule kWorkerUrl = {"an address such as 127.0.0.1:7100", &IsWorkerUrl};
inline constexpr TextRule kPortList = {"any, or ports such as 7300 or 7300-7309", &IsPortList};
inline constexpr TextRule kDevice = {"auto, cpu, cuda or cuda:N", &IsDevice};
inline constexpr TextRule kPort = {"a port", &IsPort};

}  // namespace baton
