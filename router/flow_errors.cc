#include "router/flow_errors.h"

#include "absl/strings/str_format.h"

namespace baton {
namespace {

std::string Text(const char* what, const link::JobFailed& failed) {
  return failed.message().empty() ? std::string(what)
                                  : absl::StrFormat("%s: %s", what, failed.message());
}

}  // namespace

bool IsRefusal(link::FailReason reason) {
  return reason == link::FAIL_NO_ROOM || reason == link::FAIL_QUEUE_FULL ||
         reason == link::FAIL_DRAINING;
}

FlowError ErrorOf(const link::JobFailed& failed) {
  switch (failed.reason()) {
    case link::FAIL_NO_ROOM:
      if (!failed.retryable()) {
        return {absl::InvalidArgumentError(Text("the request fits no worker", failed)),
                "context_length_exceeded"};
      }
      return {absl::ResourceExhaustedError(Text("no worker has room", failed)), "queue_full"};
    case link::FAIL_QUEUE_FULL:
      return {absl::ResourceExhaustedError(Text("every queue is full", failed)), "queue_full"};
    case link::FAIL_DRAINING:
      return {absl::UnavailableError(Text("the workers are draining", failed)), "draining"};
    case link::FAIL_HANDOFF:
    case link::FAIL_PEER_LOST:
      return {absl::UnavailableError(Text("hand-offs between the workers fail", failed)),
              "handoff_failed"};
    case link::FAIL_DEADLINE:
      return {absl::DeadlineExceededError(Text("the request's time is over", failed)), "deadline"};
    default:
      return {absl::InternalError(Text("a worker failed the request", failed)), "internal"};
  }
}

}  // namespace baton
