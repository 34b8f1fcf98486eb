#include "server/openai/server_timing.h"

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace baton {
namespace {

// To the microsecond, which is what the clocks behind it are good for.
void AppendSpan(const char* name, double ms, std::string& out) {
  absl::StrAppend(&out, out.empty() ? "" : ", ", name, ";dur=", std::round(ms * 1000) / 1000);
}

}  // namespace

std::string ServerTimingOf(const HandoffBudget& budget) {
  std::string out;
  const bool reported = !budget.wire.empty();
  if (reported) {
    AppendSpan("queue", budget.queue_ms, out);
    AppendSpan("prefill", budget.prefill_ms, out);
    AppendSpan("offer", budget.offer_ms, out);
    AppendSpan("exposed", budget.exposed_ms, out);
    AppendSpan("commit", budget.commit_ms, out);
  }
  AppendSpan("first_token", budget.first_token_ms, out);
  if (reported) absl::StrAppend(&out, ", wire;desc=", budget.wire);
  return out;
}

bool TakesTrailers(absl::string_view te) {
  for (const absl::string_view coding : absl::StrSplit(te, ',')) {
    if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(coding), "trailers")) return true;
  }
  return false;
}

}  // namespace baton
