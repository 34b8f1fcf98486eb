// A warning for each hand-off that failed: the one trace, beside a count, of a wire that does not
// work. What somebody asked to end is no failure.
#pragma once

#include "decode/decode_worker.h"
#include "prefill/prefill_worker.h"

namespace baton {

/// One line with request, attempt and reason, at the log's rate for one call site.
void LogIfFailed(const PrefillHandoff& handoff);
void LogIfFailed(const DecodeHandoff& handoff);

}  // namespace baton
