#include "kvtransfer/handoff_types.h"

#include <array>

#include "base/check.h"

namespace baton {
namespace {

struct ReasonFacts {
  const char* text;
  const char* outcome;
  bool retryable;
};

// In the order of HandoffReason.
constexpr std::array<ReasonFacts, kHandoffReasons> kFacts = {{
    {"committed", "committed", false},
    {"not announced by a router", "refused", true},
    {"the ends mean different tokens", "refused", false},
    {"no room", "refused", true},
    {"a newer attempt exists", "refused", true},
    {"corrupt", "corrupt", true},
    {"no progress", "stall", true},
    {"lease end", "lease_end", true},
    {"cancelled", "cancelled", true},
    {"peer lost", "transport", true},
    {"worker gone, says a router", "transport", true},
    {"write failed", "transport", true},
    {"no answer in time", "transport", true},
    {"over with its first token", "cancelled", false},
    {"the workers differ", "refused", true},
    {"draining", "refused", true},
    {"message out of place", "transport", true},
}};

const ReasonFacts& FactsOf(HandoffReason reason) {
  const auto number = static_cast<std::uint32_t>(reason);
  BATON_CHECK(number < kHandoffReasons);
  return kFacts[number];
}

}  // namespace

const char* ToString(HandoffReason reason) { return FactsOf(reason).text; }
const char* OutcomeOf(HandoffReason reason) { return FactsOf(reason).outcome; }
bool Retryable(HandoffReason reason) { return FactsOf(reason).retryable; }

}  // namespace baton
