// What both roles of a replay share: page keys in a pool with an index, and the outbox through
// which routers hear of them, all of them the ones that serve.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kvcache/cache_messages.h"
#include "kvcache/page_pool.h"
#include "kvcache/prefix_index.h"
#include "proto/worker_outbox.h"
#include "tests/replay/trace_options.h"
#include "tests/sim/event_queue.h"

namespace baton {

/// What a worker is asked to do, as far as a replay cares.
struct TraceJob {
  std::size_t request = 0;
  LinkId link{};     // on which it came
  int prefill = -1;  // worker numbers; -1: decode runs the prompt itself
  int decode = -1;
  int prompt_tokens = 1;
  int output_tokens = 1;
  const std::vector<std::uint64_t>* keys = nullptr;  // of the full pages; outlives the replay
};

/// The pages of one sequence: those that were found and those that are its own.
struct TracePages {
  PageLease lease;
  std::vector<PageKey> keys;
  std::size_t cached = 0;    // pages
  std::size_t complete = 0;  // pages that the index was given
};

class TraceWorker {
 public:
  using Say = std::function<void(LinkId, const link::WorkerMessage&)>;

  TraceWorker(EventQueue& events, const TraceOptions& options, const link::Register& facts,
              Say say);

  void OnLink(LinkId link);
  void OnJob(LinkId link) { outbox_.OnJob(link); }
  void OnWelcome(LinkId link);
  void OnResync(LinkId link);
  /// The prompt that came on `link` will have its pages here `seconds` from now.
  void Expect(LinkId link, const std::vector<std::uint64_t>& keys, double seconds);
  void Tell(LinkId link, link::WorkerMessage message) { outbox_.Send(link, std::move(message)); }

  /// The pages of a prompt that has `keys`, as long as `pages` in all, of which at most
  /// `cached_max` may be found ones. Nothing when the pool is short.
  std::optional<TracePages> Take(const std::vector<std::uint64_t>& keys, std::size_t pages,
                                 std::size_t cached_max);
  /// The first `pages` full pages are computed.
  void Complete(TracePages& held, std::size_t pages);
  /// How many of the first pages are here.
  std::size_t Held(const std::vector<std::uint64_t>& keys) const;

  /// Tells routers what changed. `load` is asked when it is due.
  void Publish(const std::function<link::Load()>& load);

  PagePool& pool() { return pool_; }
  std::uint32_t free_pages() const { return pool_.num_free(); }
  const link::Register& facts() const { return facts_; }

 private:
  static std::vector<PageKey> KeysOf(const std::vector<std::uint64_t>& keys);

  EventQueue& events_;
  const TraceOptions& options_;
  const link::Register facts_;
  const Say say_;
  WorkerOutbox outbox_;
  PrefixIndex index_;
  PagePool pool_;
  Instant publish_at_ = kNever;
};

}  // namespace baton
