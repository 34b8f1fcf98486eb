// What every operation asks of its parameters before it touches memory.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "base/dtype.h"

namespace baton {

/// Types that activations, weights and pages may have.
inline bool IsStorage(DType type) { return type != DType::kFp8E4m3; }

/// Errors: InvalidArgument, naming the operation and what does not hold.
inline absl::Status Require(bool holds, absl::string_view operation, absl::string_view what) {
  if (holds) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat("%s: %s must hold", operation, what));
}

}  // namespace baton
