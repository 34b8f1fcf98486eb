#include "kvtransfer/fail_reason.h"

namespace baton {

link::FailReason FailReasonOf(HandoffReason reason) {
  switch (reason) {
    case HandoffReason::kNoRoom:
      return link::FAIL_NO_ROOM;
    case HandoffReason::kDraining:
      return link::FAIL_DRAINING;
    case HandoffReason::kCancelled:
      return link::FAIL_CANCELLED;
    case HandoffReason::kPeerLost:
    case HandoffReason::kVerdict:
      return link::FAIL_PEER_LOST;
    case HandoffReason::kRefused:
      return link::FAIL_FINGERPRINT;
    default:
      return link::FAIL_HANDOFF;
  }
}

}  // namespace baton
