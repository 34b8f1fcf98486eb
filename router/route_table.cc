#include "router/route_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace baton {
namespace {

constexpr double kStoredDecaySeconds = 600;
constexpr Duration kRebaseAfter = std::chrono::seconds(60);  // 2^-24 of a minute: 4 us
// A thousand newly stored tokens weigh a microsecond: less than any forecast is worth, enough that
// of many equal workers the least filled are looked at.
constexpr double kBiasPerToken = 1e-9;
constexpr double kBiasMax = 1e-3;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

double QueueSeconds(const RouteRow& row, Instant now) {
  return std::max(0.0, ToSeconds(row.busy_until - now));
}

double StoredTokens(double tokens, Instant at, Instant now) {
  return tokens * std::exp(-ToSeconds(now - at) / kStoredDecaySeconds);
}

void RouteTable::Resize(std::size_t slots) {
  if (slots <= rows_.size()) return;
  const std::size_t size = (slots + 63) / 64 * 64;
  rows_.resize(size);
  columns_[kReadyUntil].resize(size, -kInfinity);
  for (std::vector<float>& column : columns_) column.resize(size, 0.0F);
}

float RouteTable::Relative(Instant time) const {
  if (time == Instant::min()) return -kInfinity;
  return static_cast<float>(ToSeconds(time - base_));
}

void RouteTable::Set(Slot slot, const RouteRow& row, Instant now) {
  Rebase(now);
  Resize(std::size_t{slot} + 1);
  rows_[slot] = row;
  Write(slot);
}

void RouteTable::Write(Slot slot) {
  const RouteRow& row = rows_[slot];
  const auto put = [&](Column column, double value) {
    columns_[column][slot] = static_cast<float>(value);
  };
  columns_[kReadyUntil][slot] = Relative(row.ready_until);
  columns_[kBusyUntil][slot] = Relative(row.busy_until);
  put(kFixed, row.cost.fixed);
  put(kPerToken, row.cost.per_token);
  put(kPerPair, row.cost.per_pair);
  put(kPerSequence, row.cost.per_sequence);
  put(kPoolPages, row.pool_pages);
  put(kRoomPages, row.room_pages);
  put(kRunning, row.running_sequences);
  const DecodeOption option = DecodeAt(slot, 0, row.stored_at);
  StepShape step;
  step.tokens = option.running_sequences + 1;
  step.sequences = step.tokens;
  step.pairs = option.running_tokens;
  put(kItl, row.cost.Seconds(step));
  put(kCrowd, CrowdSeconds(option.pool_used));
  const double stored = StoredTokens(row.stored_tokens, row.stored_at, base_);
  put(kBias, std::min(kBiasMax, kBiasPerToken * stored));
}

void RouteTable::Clear(Slot slot) {
  rows_[slot] = RouteRow{};
  columns_[kReadyUntil][slot] = -kInfinity;
}

void RouteTable::SetReadyUntil(Slot slot, Instant ready_until, Instant now) {
  Rebase(now);
  rows_[slot].ready_until = ready_until;
  columns_[kReadyUntil][slot] = Relative(ready_until);
}

void RouteTable::Rebase(Instant now) {
  if (now - base_ < kRebaseAfter && base_ <= now) return;
  base_ = now;
  for (std::size_t slot = 0; slot < rows_.size(); ++slot) Write(static_cast<Slot>(slot));
}

FleetColumns RouteTable::columns() const {
  const auto at = [this](Column column) { return columns_[column].data(); };
  return {.ready_until = at(kReadyUntil),
          .busy_until = at(kBusyUntil),
          .fixed = at(kFixed),
          .per_token = at(kPerToken),
          .per_pair = at(kPerPair),
          .per_sequence = at(kPerSequence),
          .pool_pages = at(kPoolPages),
          .room_pages = at(kRoomPages),
          .itl = at(kItl),
          .running = at(kRunning),
          .crowd = at(kCrowd),
          .bias = at(kBias)};
}

PrefillOption RouteTable::PrefillAt(Slot slot, int held_tokens, Instant now) const {
  const RouteRow& row = rows_[slot];
  return {.link = row.link,
          .domain = row.domain,
          .cost = row.cost,
          .queue_seconds = QueueSeconds(row, now),
          .held_tokens = held_tokens,
          .stored_tokens = StoredTokens(row.stored_tokens, row.stored_at, now),
          .requests = row.requests};
}

DecodeOption RouteTable::DecodeAt(Slot slot, int held_tokens, Instant now) const {
  const RouteRow& row = rows_[slot];
  const double pages = std::max(1.0, row.pool_pages);
  return {.link = row.link,
          .domain = row.domain,
          .cost = row.cost,
          .queue_seconds = QueueSeconds(row, now),
          .held_tokens = held_tokens,
          .stored_tokens = StoredTokens(row.stored_tokens, row.stored_at, now),
          .running_sequences = row.running_sequences,
          .running_tokens = row.running_tokens,
          .pool_used = std::clamp((pages - row.room_pages) / pages, 0.0, 1.0),
          .may_run_prompt = false};
}

}  // namespace baton
