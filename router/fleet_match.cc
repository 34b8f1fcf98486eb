#include "router/fleet_match.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace baton {
namespace {

constexpr std::size_t kOneByOne = 4;  // pages, before the walk gallops
constexpr std::size_t kAhead = 8;     // entries that the plain walk prefetches
constexpr std::size_t kWordBits = 64;

bool IsIn(const std::vector<std::uint64_t>& words, Slot slot) {
  return ((words[slot / kWordBits] >> (slot % kWordBits)) & 1) != 0;
}

// The members of `list` that `other` has too.
void KeepCommon(Holders& list, const Holders& other) {
  const auto strange = [&other](Slot slot) {
    if (other.many) return !IsIn(other.bits, slot);
    const auto end = other.list.begin() + static_cast<std::ptrdiff_t>(other.count);
    return std::find(other.list.begin(), end, slot) == end;
  };
  const auto begin = list.list.begin();
  const auto end = std::remove_if(begin, begin + static_cast<std::ptrdiff_t>(list.count), strange);
  list.count = static_cast<std::size_t>(end - begin);
}

}  // namespace

void FleetMatch::Start(const FleetIndex& index, std::span<const std::uint64_t> keys) {
  keys_ = keys;
  deepest_ = 0;
  stride_ = index.stride();
  num_kept_ = keys.size();
  if (stride_ > 1) {
    kept_.clear();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (index.Keeps(keys[i])) kept_.push_back(static_cast<std::uint32_t>(i));
    }
    num_kept_ = kept_.size();
  }
  now_.bits.resize(index.words());
  next_.bits.resize(index.words());
  depths_.resize(index.words() * kWordBits);
  std::fill(depths_.begin(), depths_.end(), 0.0F);
}

// All that the walk looks at while nobody leaves: known beforehand.
void FleetMatch::Prefetch(const FleetIndex& index) const {
  for (std::size_t i = 0; i < std::min(kOneByOne, num_kept_); ++i) {
    index.Prefetch(keys_[OrdinalOf(i)]);
  }
  std::size_t step = 2;
  for (std::size_t i = kOneByOne; i < num_kept_; i += step, step *= 2) {
    index.Prefetch(keys_[OrdinalOf(i)]);
  }
  index.Prefetch(keys_[OrdinalOf(num_kept_ - 1)]);
}

// The first page in (held, probe] that not all of now_ hold; one that all hold does not follow it.
std::size_t FleetMatch::FirstLoss(const FleetIndex& index, std::size_t held,
                                  std::size_t probe) const {
  while (probe - held > 1) {
    const std::size_t middle = held + (probe - held) / 2;
    if (index.Count(keys_[OrdinalOf(middle)]) == now_.count) {
      held = middle;
    } else {
      probe = middle;
    }
  }
  return probe;
}

void FleetMatch::Narrow(const FleetIndex& index, std::size_t at) {
  index.Read(keys_[OrdinalOf(at)], next_);
  if (!next_.many) {
    KeepCommon(next_, now_);
  } else if (!now_.many) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < now_.count; ++i) {
      if (IsIn(next_.bits, now_.list[i])) next_.list[count++] = now_.list[i];
    }
    next_.many = false;
    next_.count = count;
  } else {
    next_.count = 0;
    for (std::size_t w = 0; w < next_.bits.size(); ++w) {
      next_.bits[w] &= now_.bits[w];
      next_.count += static_cast<std::size_t>(std::popcount(next_.bits[w]));
    }
  }
  std::swap(now_, next_);
}

// Whoever holds more is given more later.
void FleetMatch::Give(const Holders& holders, std::size_t pages) {
  const auto depth = static_cast<float>(pages);
  deepest_ = depth;
  if (holders.many) return loops_.fill(holders.bits, depth, depths_);
  for (std::size_t i = 0; i < holders.count; ++i) depths_[holders.list[i]] = depth;
}

std::span<const float> FleetMatch::Run(const FleetIndex& index,
                                       std::span<const std::uint64_t> keys) {
  Start(index, keys);
  if (num_kept_ == 0) return depths_;
  Prefetch(index);
  index.Read(keys_[OrdinalOf(0)], now_);
  std::size_t held = 0;  // all of now_ hold this page
  std::size_t step = 1;
  while (now_.count > 0 && held + 1 < num_kept_) {
    const std::size_t probe =
        held + 1 < kOneByOne ? held + 1 : std::min(held + step, num_kept_ - 1);
    if (index.Count(keys_[OrdinalOf(probe)]) == now_.count) {
      if (probe >= kOneByOne) step *= 2;
      held = probe;
      continue;
    }
    const std::size_t lost = FirstLoss(index, held, probe);
    Give(now_, OrdinalOf(lost - 1) + 1);
    Narrow(index, lost);
    held = lost;
    step = 1;
  }
  if (now_.count > 0) Give(now_, OrdinalOf(held) + 1);
  return depths_;
}

std::span<const float> FleetMatch::RunPlain(const FleetIndex& index,
                                            std::span<const std::uint64_t> keys) {
  Start(index, keys);
  if (num_kept_ == 0) return depths_;
  for (std::size_t i = 0; i < std::min(kAhead, num_kept_); ++i) {
    index.Prefetch(keys_[OrdinalOf(i)]);
  }
  index.Read(keys_[OrdinalOf(0)], now_);
  std::size_t held = 0;
  for (std::size_t i = 1; i < num_kept_ && now_.count > 0; ++i, ++held) {
    if (i + kAhead < num_kept_) index.Prefetch(keys_[OrdinalOf(i + kAhead)]);
    Narrow(index, i);
    if (now_.count != next_.count) Give(next_, OrdinalOf(held) + 1);
  }
  if (now_.count > 0) Give(now_, OrdinalOf(held) + 1);
  return depths_;
}

}  // namespace baton
