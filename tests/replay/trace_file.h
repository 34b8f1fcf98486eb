// Recorded traffic in Mooncake's JSONL: one request a line, {"timestamp": ms, "input_length": n,
// "output_length": n, "hash_ids": [...]}. An id stands for 512 tokens and all before them; the last
// may stand for fewer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton {

inline constexpr int kTraceBlockTokens = 512;

struct TraceRequest {
  double seconds = 0;  // since the start of the trace
  int input_tokens = 1;
  int output_tokens = 1;
  std::vector<std::uint64_t> blocks;  // ceil(input_tokens / 512) chained ids
};

using Trace = std::vector<TraceRequest>;

/// Errors: InvalidArgument naming `name` and the line: no JSON, a member missing or of another
/// type, a length out of bounds, ids that do not fit the length, a time before the line above's.
absl::StatusOr<Trace> ParseTrace(absl::string_view name, absl::string_view text);

/// Errors: those of ParseTrace; NotFound.
absl::StatusOr<Trace> ReadTrace(const std::string& path);

/// The folder named by BATON_TRACES holds the conversation trace: it. Without the variable a
/// generated trace of the same lengths, sharing and ticks. Errors: those of ReadTrace, where the
/// variable names a folder without it.
struct ConversationTrace {
  Trace requests;
  bool recorded = false;
};
absl::StatusOr<ConversationTrace> LoadConversationTrace();

/// The page keys of a prompt: one for each full page of `page_tokens`, a divisor of 512.
std::vector<std::uint64_t> TraceKeys(const TraceRequest& request, int page_tokens);

/// Requests of one 3 s tick arrive spread over it, by chance.
Trace SpreadTicks(Trace trace, std::uint64_t seed);
/// Every prompt `times` times within 0.2 s.
Trace FanOut(const Trace& trace, int times, std::uint64_t seed);
/// `speed` times as many requests a second.
Trace AtSpeed(Trace trace, double speed);

}  // namespace baton
