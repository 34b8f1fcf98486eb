// What a worker's failure means to the client, when no other attempt will mend it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "proto/link.pb.h"

namespace baton {

struct FlowError {
  absl::Status status;
  std::string code;  // the OpenAI error code; see ResponseObserver::OnFailed
};

/// True when the worker took nothing on: it is full or leaving, not broken.
bool IsRefusal(link::FailReason reason);

FlowError ErrorOf(const link::JobFailed& failed);

}  // namespace baton
