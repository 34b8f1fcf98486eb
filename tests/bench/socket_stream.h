// The yardstick of the TCP transport: the same bytes through one plain socket on loopback, both
// ends polling, a mebibyte a call, no checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton {

class SocketStream {
 public:
  SocketStream() = default;
  ~SocketStream();
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

  /// Listens on loopback; the port. Then Accept, in the same process.
  absl::StatusOr<std::uint16_t> Listen();
  absl::Status Accept();
  absl::Status Connect(std::uint16_t port);

  /// Sends all of `bytes` and waits for the other end's receipt.
  absl::Status Push(std::span<const std::byte> bytes);

  /// Receives `bytes` bytes, 1 MiB at a time into one buffer, and answers with a receipt.
  absl::Status Take(std::size_t bytes);

 private:
  int listener_ = -1;
  int socket_ = -1;
};

}  // namespace baton
