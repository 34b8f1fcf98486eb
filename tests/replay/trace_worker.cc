#include "tests/replay/trace_worker.h"

#include <algorithm>
#include <utility>

namespace baton {

TraceWorker::TraceWorker(EventQueue& events, const TraceOptions& options,
                         const link::Register& facts, Say say)
    : events_(events),
      options_(options),
      facts_(facts),
      say_(std::move(say)),
      outbox_(facts, options.load_every),
      index_(facts.pages()),
      pool_(facts.pages(), index_) {}

void TraceWorker::OnLink(LinkId link) { outbox_.OnLinkUp(link); }

void TraceWorker::OnWelcome(LinkId link) { outbox_.OnWelcome(link, options_.router.heartbeat); }

void TraceWorker::OnResync(LinkId link) { outbox_.OnResync(link); }

void TraceWorker::Expect(LinkId link, const std::vector<std::uint64_t>& keys, double seconds) {
  if (outbox_.num_links() < 2) return;
  link::Expected expected;
  expected.mutable_keys()->Assign(keys.begin(), keys.end());
  expected.set_within_ms(static_cast<std::uint32_t>(1000 * std::min(60.0, seconds + 2)));
  outbox_.SendExpected(link, expected);
}

std::vector<PageKey> TraceWorker::KeysOf(const std::vector<std::uint64_t>& keys) {
  std::vector<PageKey> whole;
  whole.reserve(keys.size());
  for (const std::uint64_t key : keys) whole.push_back({.high = key, .low = key});
  return whole;
}

std::optional<TracePages> TraceWorker::Take(const std::vector<std::uint64_t>& keys,
                                            std::size_t pages, std::size_t cached_max) {
  TracePages taken;
  taken.keys = KeysOf(keys);
  const std::size_t most = std::min(cached_max, taken.keys.size());
  taken.lease = pool_.Share(index_.Match(std::span(taken.keys).first(most)));
  taken.cached = taken.lease.size();
  taken.complete = taken.cached;
  absl::StatusOr<PageLease> fresh = pool_.Acquire(static_cast<std::uint32_t>(pages - taken.cached));
  if (!fresh.ok()) return std::nullopt;
  taken.lease.Append(*std::move(fresh));
  return taken;
}

void TraceWorker::Complete(TracePages& held, std::size_t pages) {
  const std::size_t full = std::min(pages, held.keys.size());
  if (full <= held.complete) return;
  index_.Insert(std::span(held.keys).first(full), held.lease.pages(), held.complete);
  held.complete = full;
}

std::size_t TraceWorker::Held(const std::vector<std::uint64_t>& keys) const {
  return index_.Match(KeysOf(keys)).size();
}

void TraceWorker::Publish(const std::function<link::Load()>& load) {
  PublishCacheEvents(index_, outbox_);
  const Instant due = outbox_.StateLoad(load(), events_.now());
  for (const WorkerOutput& output : outbox_.Take()) say_(output.link, output.message);
  if (due >= publish_at_ && publish_at_ > events_.now()) return;
  publish_at_ = due;
  events_.At(due, [this, due, load] {
    if (publish_at_ == due) Publish(load);
  });
}

}  // namespace baton
