#include "kvcache/cache_messages.h"

namespace baton {

void PublishCacheEvents(PrefixIndex& index, WorkerOutbox& outbox) {
  if (!index.events().empty()) {
    const KeyEvents events = index.events().Take();
    link::CacheEvents message;
    message.set_first_number(events.first_number);
    message.set_next_number(events.next_number());
    message.mutable_stored()->Assign(events.stored.begin(), events.stored.end());
    message.mutable_removed()->Assign(events.removed.begin(), events.removed.end());
    outbox.SendEvents(message);
  }
  if (!outbox.WantsSnapshot()) return;
  const std::vector<std::uint64_t> keys = index.Snapshot();
  link::CacheEvents message;
  message.set_snapshot(true);
  message.set_first_number(index.events().next_number());
  message.set_next_number(index.events().next_number());
  message.mutable_stored()->Assign(keys.begin(), keys.end());
  outbox.SendSnapshot(message);
}

}  // namespace baton
