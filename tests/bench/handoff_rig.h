// Both ends of real hand-offs, each in its process, without engines: receivers that lend pages to
// every offer and compare what arrived, and a sending end that offers pages which are there.
//
// Protocol, transfer thread and wire are those of serving.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bounded_queue.h"
#include "kvcache/kv_arena.h"
#include "kvtransfer/outbound_transfers.h"
#include "kvtransfer/ucx_transport.h"
#include "server/roles/transfer_thread.h"
#include "tests/bench/forked_peer.h"

namespace baton::bench {

/// UCX over one wire alone: "shm" or "tcp".
UcxOptions OnlyWire(absl::string_view wire);

/// What each page holds, the same in all processes: a pattern of its ordinal.
void FillPages(KvArena& arena);

struct ReceiverPlan {
  std::uint64_t worker = 1;  // one of several
  KvLayout layout;
  int tokens = 0;    // of every hand-off
  int handoffs = 0;  // so many, then it compares the last one's pages

  std::uint32_t Pages() const { return static_cast<std::uint32_t>(layout.PagesFor(tokens)); }
};

/// The receiving process. Tells its address first, and last "ok" or what is wrong.
std::unique_ptr<ForkedPeer> ForkReceiver(const std::string& wire, const ReceiverPlan& plan);

/// The last word of a receiver. Errors: DataLoss with what it said.
absl::Status CheckReceived(ForkedPeer& receiver);

class SendingEnd {
 public:
  /// `pages` holds FillPages() and outlives this. Forks nothing.
  SendingEnd(const KvArena& pages, const TransferLimits& limits) : pages_(pages), limits_(limits) {}
  ~SendingEnd();

  /// Errors: as MakeUcxTransport.
  absl::Status Open(const std::string& wire);

  /// Errors: Unavailable when the process did not start.
  absl::Status AddReceiver(ForkedPeer& receiver, const ReceiverPlan& plan);

  /// Offers the next prompt of receiver `index`; the first `ready_pages` are computed already.
  HandoffId Start(std::size_t index, std::uint32_t ready_pages);

  void Push(OutboundCommand command) { thread_->Push(std::move(command)); }

  /// Waits until `count` hand-offs have settled; how they ended, in that order.
  /// Errors: DeadlineExceeded; Aborted (one did not commit); Unavailable (over another wire).
  absl::StatusOr<std::vector<OutboundEnded>> Await(std::size_t count);

 private:
  using Thread = TransferThread<OutboundTransfers, OutboundCommand, OutboundEvent, OutboundStats>;
  struct Receiver {
    ReceiverPlan plan;
    std::string address;
    std::uint64_t started = 0;
  };

  absl::Status Check(const OutboundEnded& ended) const;

  const KvArena& pages_;
  const TransferLimits limits_;
  std::string wire_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<OutboundTransfers> transfers_;
  std::unique_ptr<Thread> thread_;
  BoundedQueue<OutboundEvent> events_{4096};
  std::vector<Receiver> receivers_;
  std::uint64_t handoffs_ = 0;
};

}  // namespace baton::bench
