// What one request's time went to, as browsers and load tools read it: the value of a
// `Server-Timing` field, for HTTP headers and trailers and for gRPC's trailing metadata.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "router/request.h"

namespace baton {

inline constexpr char kServerTiming[] = "Server-Timing";

/// "queue;dur=0.021, prefill;dur=171.402, offer;dur=0.33, exposed;dur=0.17, commit;dur=0.12,
/// first_token;dur=172.5, wire;desc=shm". Durations in ms; without a reported hand-off only the
/// first token's. Source: W3C Server Timing.
std::string ServerTimingOf(const HandoffBudget& budget);

/// Whether a client that sent this TE field takes trailers. Source: RFC 9110, 10.1.4.
bool TakesTrailers(absl::string_view te);

}  // namespace baton
