// The transport over UCX: validated messages through shared memory or TCP.
//
// A frame is an eager active message. The receiver's handler asks the sink where the payload may
// land and copies it there, checksum in the same pass; no memory of ours is ever registered with
// UCX, so no peer can write where it was not let in. What was asked for and what UCX found are two
// things: Describe() tells the second, and CheckWire() refuses when they differ.
//
// No UCX type appears here: UCX stays behind kvtransfer/ucx_*.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/time.h"
#include "config/config.h"
#include "kvtransfer/transport.h"

namespace baton {

struct UcxOptions {
  bool shm = true;  // posix and System V shared memory, for peers on this machine
  bool tcp = true;
  std::string host = "127.0.0.1";        // TCP listens on this host's device only
  std::vector<std::string> net_devices;  // instead of the host's device
  std::string tcp_ports;                 // "first-last"; empty = any free port
  Duration keepalive = Milliseconds(1000);
  int peers_max = 256;
  int frames_open_max = 4096;   // posted and not yet reported, all peers
  int messages_open_max = 256;  // likewise; 8 KiB each
};

/// What the configuration asks for.
/// Errors: InvalidArgument: a transport that this engine does not have, or an order that UCX does
/// not follow (it takes shared memory wherever that reaches the peer).
absl::StatusOr<UcxOptions> UcxOptionsFrom(const TransferConfig& config);

/// Opens a UCX context and worker. What in the environment (UCX_*) disagrees with the options is
/// overruled and logged.
/// Errors: InvalidArgument (no such host or device), Unavailable (UCX finds no usable transport).
/// Thread: the transport belongs to the thread that polls it; it may be made on another.
absl::StatusOr<std::unique_ptr<Transport>> MakeUcxTransport(const UcxOptions& options);

/// Whether the wire as found is the one required ("" = any; "shm", "tcp").
/// Errors: FailedPrecondition, naming both and what to do; Unavailable while nothing is known yet.
absl::Status CheckWire(const PeerDescription& found, absl::string_view required);

}  // namespace baton
