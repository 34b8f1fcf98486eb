#include "server/roles/handoff_log.h"

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace baton {
namespace {

bool IsFailure(HandoffReason reason) {
  switch (reason) {
    case HandoffReason::kCommitted:
    case HandoffReason::kStale:
    case HandoffReason::kCancelled:
    case HandoffReason::kFirstTokenEnds:
    case HandoffReason::kDraining:
      return false;
    default:
      return true;
  }
}

}  // namespace

void LogIfFailed(const PrefillHandoff& handoff) {
  if (!IsFailure(handoff.reason)) return;
  BATON_WARN("request %s attempt %d: hand-off to decode failed: %s%s",
             handoff.id.request.ToString(), handoff.id.attempt, ToString(handoff.reason),
             handoff.message.empty() ? "" : absl::StrCat(": ", handoff.message));
}

void LogIfFailed(const DecodeHandoff& handoff) {
  if (handoff.committed || !IsFailure(handoff.reason)) return;
  BATON_WARN("request %s attempt %d: hand-off from prefill failed: %s",
             handoff.id.request.ToString(), handoff.id.attempt, ToString(handoff.reason));
}

}  // namespace baton
