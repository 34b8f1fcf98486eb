// One UCX context with one worker: opened with our settings, closed with them. Plain RAII.
//
// Features: active messages and wake-up, nothing else. Without the RMA feature this process
// refuses a libucp peer's puts.
#pragma once

#include <ucp/api/ucp.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kvtransfer/ucx_transport.h"

namespace baton {

// Active message ids: of the layer above, then of transports among themselves (UcxNote).
inline constexpr unsigned kFrameMessageId = 1;
inline constexpr unsigned kSmallMessageId = 2;
inline constexpr unsigned kKnockId = 3;    // "give my stream a lane; mine has this address"
inline constexpr unsigned kWelcomeId = 4;  // "its other end has this address"
inline constexpr unsigned kGoodbyeId = 5;  // "the stream is over"
inline constexpr unsigned kCreditId = 6;   // "so many segments of the stream are consumed", u64

class UcxWorker {
 public:
  /// Process-wide settings, and a log line for each variable of the environment that UCX will or
  /// will not follow. Once, before the first worker.
  static absl::Status Prepare(const UcxOptions& options);

  /// Errors: as MakeUcxTransport.
  static absl::StatusOr<std::unique_ptr<UcxWorker>> Open(const UcxOptions& options);
  ~UcxWorker();
  UcxWorker(const UcxWorker&) = delete;
  UcxWorker& operator=(const UcxWorker&) = delete;

  ucp_worker_h get() const { return worker_; }
  int wake_fd() const { return wake_fd_; }

  /// The worker's address as UCX packs it.
  const std::string& address() const { return address_; }

  /// `handler(arg, ...)` is called inside ucp_worker_progress for each message of that id.
  absl::Status Handle(unsigned id, ucp_am_recv_callback_t handler, void* arg);

 private:
  UcxWorker() = default;
  absl::Status OpenContext(const UcxOptions& options);
  absl::Status OpenWorker();

  ucp_context_h context_ = nullptr;
  ucp_worker_h worker_ = nullptr;
  int wake_fd_ = -1;
  std::string address_;
};

}  // namespace baton
