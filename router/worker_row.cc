#include "router/worker_row.h"

namespace baton {

RouteRow RowOf(const Worker& worker, const StepCost& cost, double chunk_tokens) {
  RouteRow row;
  row.link = worker.link;
  row.decode = worker.facts.role() == link::ROLE_DECODE;
  row.busy_until = BusyUntil(worker, cost, chunk_tokens);
  row.cost = cost;
  row.pool_pages = worker.facts.pages();
  row.room_pages = RoomPages(worker);
  row.requests =
      static_cast<double>(worker.load.queue_requests()) + static_cast<double>(worker.sent.size());
  row.running_sequences = RunningSequences(worker);
  row.running_tokens = RunningTokens(worker);
  row.stored_tokens = worker.stored_tokens;
  row.stored_at = worker.stored_at;
  return row;
}

}  // namespace baton
