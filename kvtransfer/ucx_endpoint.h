// One UCX endpoint: opened to an address, watched for its peer's death, closed by force. And the
// small notes that two transports exchange about their lanes.
//
// UCX keeps pointers to both while they are in use, so neither moves.
#pragma once

#include <ucp/api/ucp.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "kvtransfer/inbound_order.h"
#include "kvtransfer/ucx_worker.h"

namespace baton {

class UcxEndpoint {
 public:
  UcxEndpoint() = default;
  UcxEndpoint(const UcxEndpoint&) = delete;
  UcxEndpoint& operator=(const UcxEndpoint&) = delete;

  /// `ucx_address` as UcxWorker::address() of the other side. Errors: Unavailable (no common
  /// transport).
  absl::Status Open(UcxWorker& worker, absl::string_view ucx_address);

  /// The death of the peer or the failure of the wire, once seen inside a progress call.
  std::optional<ucs_status_t> error() const { return error_; }

  ucp_ep_h get() const { return endpoint_; }

  /// Closes by force, which makes UCX report every open send. True when it is over (or was never
  /// open); until then call again between progress calls.
  bool Close();

  /// "shm", "tcp", ... as UCX prints it now; "unknown" when not open.
  std::string Wire() const;

 private:
  static void OnError(void* arg, ucp_ep_h endpoint, ucs_status_t status);

  ucp_ep_h endpoint_ = nullptr;
  void* closing_ = nullptr;
  std::optional<ucs_status_t> error_;
};

/// A short message between transports that the layer above never sees: about one stream.
class UcxNote {
 public:
  UcxNote() = default;
  UcxNote(const UcxNote&) = delete;
  UcxNote& operator=(const UcxNote&) = delete;

  /// Posts it; once more only when Done(). `id` is an active message id of ucx_worker.h.
  void Post(const UcxEndpoint& endpoint, unsigned id, StreamId stream, absl::string_view body);

  /// True when UCX no longer reads it, or it was never posted. After its endpoint has closed,
  /// always.
  bool Done();

 private:
  std::array<std::byte, 8> header_{};
  std::string body_;
  void* request_ = nullptr;
};

}  // namespace baton
