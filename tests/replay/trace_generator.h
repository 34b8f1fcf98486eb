// A stand-in for the recorded conversation trace, for whoever has no copy of it: the same number of
// requests in the same ticks, lengths of the same distribution, one block that opens every prompt,
// and conversations whose next turn repeats the last prompt.
//
// Figures of the recorded trace, which this is held to by its test: 12,031 requests in 3,537 s;
// input mean 12,035, p50 6,909, p90 27,367; output mean 343, p50 350; 36.6 % of blocks seen before.
#pragma once

#include <cstdint>

#include "tests/replay/trace_file.h"

namespace baton {

/// Equal seeds, equal traces.
Trace GenerateConversations(std::uint64_t seed);

}  // namespace baton
