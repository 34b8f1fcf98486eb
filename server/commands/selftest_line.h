// Lines over a plain socket: how the two halves of `baton selftest --peer` tell each other which
// wire is tried next and where its receiver is. Every wait has a deadline, every line a bound.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/time.h"
#include "server/loopback_address.h"

namespace baton {

/// One end of the conversation. Thread: one.
class SelftestLine {
 public:
  /// Errors: as ResolveLoopback; Unavailable when nobody listens there.
  static absl::StatusOr<SelftestLine> Connect(const HostPort& where);

  explicit SelftestLine(int socket) : socket_(socket) {}
  ~SelftestLine();
  SelftestLine(SelftestLine&& other) noexcept;
  SelftestLine& operator=(SelftestLine&&) = delete;

  /// `line` holds no end of line. Errors: Unavailable.
  absl::Status Say(absl::string_view line);

  /// The next line. Errors: DeadlineExceeded, Unavailable (the other end is gone), InvalidArgument
  /// (a line beyond the bound).
  absl::StatusOr<std::string> Hear(Instant deadline);

 private:
  int socket_ = -1;
  std::string read_;
};

/// Where the peer waits to be driven.
class SelftestDoor {
 public:
  /// Port 0: any free one. Errors: InvalidArgument (not an address of loopback), Unavailable.
  static absl::StatusOr<SelftestDoor> Listen(const std::string& host, int port);

  ~SelftestDoor();
  SelftestDoor(SelftestDoor&& other) noexcept;
  SelftestDoor& operator=(SelftestDoor&&) = delete;

  int port() const { return port_; }

  /// Errors: DeadlineExceeded.
  absl::StatusOr<SelftestLine> Accept(Instant deadline);

 private:
  SelftestDoor(int socket, int port) : socket_(socket), port_(port) {}

  int socket_ = -1;
  int port_ = 0;
};

}  // namespace baton
