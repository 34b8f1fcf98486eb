#include "kvtransfer/session_pipe.h"

#include <utility>

#include "base/status.h"

namespace baton {

void SessionPipe::Open(SessionId session, std::uint32_t arrived) {
  session_ = session;
  next_out_ = 0;
  next_in_ = arrived;
}

absl::Status SessionPipe::Send(const HandoffMessage& message) {
  BATON_ASSIGN_OR_RETURN(std::string bytes,
                         EncodeMessage({session_, next_out_, frames_posted_}, message));
  if (waiting_.size() >= kPipeMessagesMax) {
    return absl::ResourceExhaustedError("transfer session: too many messages wait for the wire");
  }
  ++next_out_;
  waiting_.push_back(std::move(bytes));
  return Flush();
}

absl::Status SessionPipe::Flush() {
  while (!waiting_.empty()) {
    const absl::Status sent = transport_->Send(peer_, waiting_.front());
    if (absl::IsResourceExhausted(sent)) return absl::OkStatus();  // again at the next Tick
    BATON_RETURN_IF_ERROR(sent);
    waiting_.pop_front();
  }
  return absl::OkStatus();
}

Arrival SessionPipe::Take(const HandoffHeader& header) {
  if (header.sequence < next_in_) return Arrival::kDuplicate;
  if (header.sequence > next_in_) return Arrival::kGap;
  ++next_in_;
  return Arrival::kNext;
}

}  // namespace baton
