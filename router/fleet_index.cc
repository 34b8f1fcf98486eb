#include "router/fleet_index.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"

namespace baton {
namespace {

constexpr std::size_t kWordBits = 64;
// Of absl's flat_hash_map: a slot and its control byte, at least 7/16 full.
constexpr std::uint64_t kExpectedBytes = 2 * (8 + 16 + 1);

}  // namespace

FleetIndex::FleetIndex(std::uint64_t bytes_max, std::uint32_t stride)
    : bytes_max_(bytes_max), stride_(std::bit_ceil(std::clamp(stride, 1U, kStrideMax))) {}

std::uint64_t FleetIndex::bytes() const {
  return table_.bytes() + sets_.bytes() + num_expected_ * kExpectedBytes;
}

bool FleetIndex::AddWorker(LinkId link, const SlotKind& kind) {
  RemoveWorker(link);
  Life life;
  life.kind = kind;
  if (!TakeSlot(life)) return false;
  lives_.emplace(link, std::move(life));
  return true;
}

bool FleetIndex::TakeSlot(Life& life) {
  std::optional<Slot> slot = groups_.Acquire(life.kind);
  if (!slot && !retired_.empty()) {
    SweepEntries(2 * table_.capacity());
    slot = groups_.Acquire(life.kind);
  }
  if (!slot) return false;
  life.slot = *slot;
  sets_.ReserveSlots(groups_.slots());
  live_.resize(sets_.words(), 0);
  live_[*slot / kWordBits] |= 1ULL << (*slot % kWordBits);
  return true;
}

void FleetIndex::Retire(Slot slot) {
  live_[slot / kWordBits] &= ~(1ULL << (slot % kWordBits));
  retired_.push_back({slot, swept_ + table_.capacity()});
}

void FleetIndex::RemoveWorker(LinkId link) {
  const auto found = lives_.find(link);
  if (found == lives_.end()) return;
  Life& life = found->second;
  pages_ -= life.pages;
  num_expected_ -= life.expected.size();
  Retire(life.slot);
  lives_.erase(found);
}

std::optional<Slot> FleetIndex::SlotOf(LinkId link) const {
  const auto found = lives_.find(link);
  if (found == lives_.end()) return std::nullopt;
  return found->second.slot;
}

// What a snapshot replaces. Where every slot is taken the worker keeps its own, swept at once.
void FleetIndex::StartAnew(Life& life) {
  if (life.pages == 0 && life.expected.empty()) return;
  pages_ -= life.pages;
  life.pages = 0;
  num_expected_ -= life.expected.size();
  life.expected.clear();
  const Slot old = life.slot;
  Retire(old);
  if (TakeSlot(life)) return;
  SweepEntries(2 * table_.capacity());
  BATON_CHECK(TakeSlot(life));  // the one that was just given back
}

EventsVerdict FleetIndex::Apply(LinkId link, const link::CacheEvents& events) {
  const auto found = lives_.find(link);
  if (found == lives_.end()) return EventsVerdict::kSeen;
  Life& life = found->second;
  if (events.snapshot()) {
    StartAnew(life);
    life.whole = true;
  } else if (events.first_number() > life.next_number || !life.whole) {
    life.whole = false;
    return EventsVerdict::kGap;
  } else if (events.first_number() < life.next_number) {
    return EventsVerdict::kSeen;
  }
  life.next_number = events.next_number();
  for (const std::uint64_t key : events.stored()) Store(life, key);
  for (const std::uint64_t key : events.removed()) Remove(life, key);
  return EventsVerdict::kApplied;
}

void FleetIndex::Store(Life& life, std::uint64_t key) {
  if (!Keeps(key)) return;
  if (life.expected.erase(key) > 0) {
    --num_expected_;
    ++life.pages;
    ++pages_;
    return;
  }
  bool added = false;
  if (!AddHolder(key, life.slot, added)) {
    ++pages_refused_;
  } else if (added) {
    ++life.pages;
    ++pages_;
  }
}

void FleetIndex::Remove(Life& life, std::uint64_t key) {
  if (!Keeps(key) || life.expected.contains(key)) return;
  if (!RemoveHolder(key, life.slot)) return;
  --life.pages;
  --pages_;
}

bool FleetIndex::AddHolder(std::uint64_t key, Slot slot, bool& added) {
  for (;;) {
    PageTable::Entry* entry = table_.FindEntry(key);
    const bool place = entry != nullptr || !table_.full();
    if (place && bytes() + sets_.growth_bytes() <= bytes_max_) {
      if (entry == nullptr) entry = &table_.Insert(key);
      added = sets_.Add(entry->set, slot);
      return true;
    }
    if (!MakeRoom()) return entry != nullptr && sets_.Contains(entry->set, slot);
    if (!Keeps(key)) return true;
  }
}

// Within the bound, the growing table's old half included.
bool FleetIndex::MakeRoom() {
  if (table_.full() && bytes() + table_.grown_bytes() <= bytes_max_) {
    table_.Grow();
    sweep_at_ = 0;
    for (Retired& retired : retired_) retired.swept_at = swept_ + table_.capacity();
    return true;
  }
  if (stride_ >= kStrideMax) return false;
  Coarsen();
  return true;
}

void FleetIndex::Coarsen() {
  stride_ *= 2;
  for (std::size_t place = 0; place < table_.capacity(); ++place) {
    while (!table_.At(place).set.empty() && !Keeps(table_.At(place).key)) {
      sets_.Clear(table_.At(place).set);
      table_.Erase(place);
    }
  }
  RecountPages();
}

void FleetIndex::RecountPages() {
  pages_ = 0;
  num_expected_ = 0;
  std::vector<Life*> by_slot(words() * kWordBits, nullptr);
  for (auto& [link, life] : lives_) {
    absl::erase_if(life.expected, [this](const auto& entry) { return !Keeps(entry.first); });
    num_expected_ += life.expected.size();
    life.pages = 0;
    by_slot[life.slot] = &life;
  }
  for (std::size_t place = 0; place < table_.capacity(); ++place) {
    const PageTable::Entry& entry = table_.At(place);
    sets_.ForEach(entry.set, live_, [&](Slot slot) {
      Life& life = *by_slot[slot];
      if (life.expected.contains(entry.key)) return;
      ++life.pages;
      ++pages_;
    });
  }
}

bool FleetIndex::RemoveHolder(std::uint64_t key, Slot slot) {
  PageTable::Entry* entry = table_.FindEntry(key);
  if (entry == nullptr || !sets_.Remove(entry->set, slot)) return false;
  if (entry->set.empty()) EraseEmpty(*entry);
  return true;
}

// The sweep must not miss an entry that moves from before it to behind it.
void FleetIndex::EraseEmpty(PageTable::Entry& entry) {
  const PageTable::Moved moved = table_.Erase(table_.PlaceOf(entry));
  if (moved.first >= sweep_at_) return;
  if (moved.last < sweep_at_ && moved.last >= moved.first) return;
  swept_ -= sweep_at_ - moved.first;
  sweep_at_ = moved.first;
}

void FleetIndex::Sweep() { SweepEntries(kSweepEntries); }

void FleetIndex::SweepEntries(std::size_t count) {
  for (std::size_t i = 0; i < count && !retired_.empty(); ++i) {
    if (sweep_at_ >= table_.capacity()) sweep_at_ = 0;
    PageTable::Entry& entry = table_.At(sweep_at_);
    if (!entry.set.empty()) {
      sets_.Keep(entry.set, live_);
      if (entry.set.empty()) {
        table_.Erase(sweep_at_);
        continue;  // another entry may have moved here
      }
    }
    ++sweep_at_;
    ++swept_;
    while (!retired_.empty() && retired_.front().swept_at <= swept_) {
      groups_.Release(retired_.front().slot);
      retired_.pop_front();
    }
  }
}

void FleetIndex::Expect(LinkId link, std::span<const std::uint64_t> keys, Instant until) {
  const auto found = lives_.find(link);
  if (found == lives_.end()) return;
  Life& life = found->second;
  for (const std::uint64_t key : keys) {
    if (!Keeps(key)) continue;
    const auto known = life.expected.find(key);
    if (known != life.expected.end()) {
      known->second.until = std::max(known->second.until, until);
      ++known->second.times;
      continue;
    }
    if (life.expected.size() >= kExpectedMax) return;
    bool added = false;
    if (!AddHolder(key, life.slot, added)) return;
    if (!added) continue;  // it holds the page
    life.expected[key] = {until, 1};
    ++num_expected_;
  }
}

void FleetIndex::Unexpect(LinkId link, std::span<const std::uint64_t> keys) {
  const auto found = lives_.find(link);
  if (found == lives_.end()) return;
  Life& life = found->second;
  for (const std::uint64_t key : keys) {
    const auto known = life.expected.find(key);
    if (known == life.expected.end() || --known->second.times > 0) continue;
    life.expected.erase(known);
    --num_expected_;
    RemoveHolder(key, life.slot);
  }
}

void FleetIndex::ForgetExpired(Instant now) {
  for (auto& [link, life] : lives_) {
    const std::size_t before = life.expected.size();
    if (before == 0) continue;
    absl::erase_if(life.expected, [this, &life = life, now](const auto& entry) {
      if (entry.second.until > now) return false;
      RemoveHolder(entry.first, life.slot);
      return true;
    });
    num_expected_ -= before - life.expected.size();
  }
}

bool FleetIndex::Holds(const Life& life, std::uint64_t key) const {
  return sets_.Contains(table_.Find(key), life.slot);
}

int FleetIndex::Depth(LinkId link, std::span<const std::uint64_t> keys) const {
  const auto found = lives_.find(link);
  if (found == lives_.end()) return 0;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!Keeps(keys[i])) continue;
    if (!Holds(found->second, keys[i])) break;
    depth = i + 1;
  }
  return static_cast<int>(depth);
}

}  // namespace baton
