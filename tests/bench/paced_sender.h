// A prefill worker whose computation is a timer: layers are "done" by the clock, and everything
// behind that is as in serving.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/roles/bell.h"
#include "tests/bench/handoff_rig.h"

namespace baton::bench {

/// What is handed over, and how fast it is computed.
struct OverlapShape {
  int tokens = 4096;
  int chunks = 4;
  int layers = 61;
  int layer_us = 2000;  // a layer of one chunk
  int group = 8;        // layers that go together in the last chunk
  int rounds = 5;

  KvLayout Layout() const;
  std::uint32_t Pages() const { return static_cast<std::uint32_t>(Layout().PagesFor(tokens)); }
  std::uint64_t Bytes() const { return Pages() * Layout().PageBytes(); }
  ReceiverPlan Receiver() const { return {1, Layout(), tokens, rounds}; }
  /// Where chunk `index` begins; Pages() behind the last.
  std::uint32_t ChunkPage(int index) const {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(Pages()) *
                                      static_cast<std::uint64_t>(index) /
                                      static_cast<std::uint64_t>(chunks));
  }
  /// Of a group of layers of the last chunk.
  std::uint64_t GroupBytes() const;
};

class PacedSender {
 public:
  /// As SendingEnd.
  PacedSender(const KvArena& pages, const OverlapShape& shape, bool overlap);

  absl::Status Open(const std::string& wire, ForkedPeer& receiver);

  /// One prompt: offered, computed by the clock, handed over. Errors: as SendingEnd::Await.
  absl::StatusOr<OutboundEnded> Run();

 private:
  void Compute(HandoffId handoff);

  const OverlapShape shape_;
  SendingEnd end_;
  Bell clock_;
  std::uint64_t steps_ = 0;
};

}  // namespace baton::bench
