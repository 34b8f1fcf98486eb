#include "router/fleet_index.h"

#include <algorithm>

namespace baton {

FleetIndex::FleetIndex(std::uint64_t bytes_max) : pages_max_(bytes_max / kPageBytesMax) {}

void FleetIndex::AddWorker(LinkId link) {
  RemoveWorker(link);
  slots_[link];
}

void FleetIndex::RemoveWorker(LinkId link) {
  const auto found = slots_.find(link);
  if (found == slots_.end()) return;
  pages_ -= found->second.held.size();
  slots_.erase(found);
}

EventsVerdict FleetIndex::Apply(LinkId link, const link::CacheEvents& events) {
  const auto found = slots_.find(link);
  if (found == slots_.end()) return EventsVerdict::kSeen;
  Slot& slot = found->second;
  if (events.snapshot()) {
    pages_ -= slot.held.size();
    slot.held = {};
    slot.whole = true;
  } else if (events.first_number() > slot.next_number || !slot.whole) {
    slot.whole = false;
    return EventsVerdict::kGap;
  } else if (events.first_number() < slot.next_number) {
    return EventsVerdict::kSeen;
  }
  slot.next_number = events.next_number();
  for (const std::uint64_t key : events.stored()) Store(slot, key);
  for (const std::uint64_t key : events.removed()) pages_ -= slot.held.erase(key);
  return EventsVerdict::kApplied;
}

void FleetIndex::Store(Slot& slot, std::uint64_t key) {
  slot.expected.erase(key);
  if (pages_ >= pages_max_ && !slot.held.contains(key)) {
    ++pages_refused_;
    return;
  }
  if (slot.held.insert(key).second) ++pages_;
}

void FleetIndex::Expect(LinkId link, std::span<const std::uint64_t> keys, Instant until) {
  const auto found = slots_.find(link);
  if (found == slots_.end()) return;
  Slot& slot = found->second;
  for (const std::uint64_t key : keys) {
    if (slot.held.contains(key)) continue;
    if (slot.expected.size() >= kExpectedMax && !slot.expected.contains(key)) return;
    Instant& known = slot.expected[key];
    known = std::max(known, until);
  }
}

void FleetIndex::Unexpect(LinkId link, std::span<const std::uint64_t> keys) {
  const auto found = slots_.find(link);
  if (found == slots_.end()) return;
  for (const std::uint64_t key : keys) found->second.expected.erase(key);
}

void FleetIndex::ForgetExpired(Instant now) {
  for (auto& [link, slot] : slots_) {
    absl::erase_if(slot.expected, [now](const auto& entry) { return entry.second <= now; });
  }
}

bool FleetIndex::expecting() const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const auto& entry) { return !entry.second.expected.empty(); });
}

bool FleetIndex::Holds(const Slot& slot, std::uint64_t key, Instant now) {
  if (slot.held.contains(key)) return true;
  const auto expected = slot.expected.find(key);
  return expected != slot.expected.end() && expected->second > now;
}

int FleetIndex::Depth(LinkId link, std::span<const std::uint64_t> keys, Instant now) const {
  const auto found = slots_.find(link);
  if (found == slots_.end()) return 0;
  const Slot& slot = found->second;
  // Gallop to the first page that is missing, then bisect: pages [0, held) are there.
  std::size_t held = 0;
  std::size_t missing = keys.size();
  for (std::size_t stride = 1; held < missing; stride *= 2) {
    const std::size_t probe = std::min(held + stride, missing);
    if (!Holds(slot, keys[probe - 1], now)) {
      missing = probe - 1;
      break;
    }
    held = probe;
  }
  while (held < missing) {
    const std::size_t probe = held + (missing - held + 1) / 2;
    if (Holds(slot, keys[probe - 1], now)) {
      held = probe;
    } else {
      missing = probe - 1;
    }
  }
  return static_cast<int>(held);
}

}  // namespace baton
