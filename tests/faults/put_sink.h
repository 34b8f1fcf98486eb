// Lands frames as one-sided puts do: at the place that a Grant once named, for as long as anybody
// sends there. The lease table is still asked, so that hand-offs go on; its refusals are ignored.
#pragma once

#include <map>
#include <vector>

#include "kvcache/kv_arena.h"
#include "kvtransfer/handoff_wire.h"
#include "kvtransfer/transport.h"

namespace baton {

/// Thread: confined to the transfer thread.
class PutSink final : public FrameSink {
 public:
  /// `pages` outlives this.
  explicit PutSink(const KvArena& pages) : pages_(pages) {}

  /// The table that would decide. It outlives this sink's last frame.
  void SetSink(FrameSink& table) { table_ = &table; }

  /// Remembers what a message of ours tells a sender: how pages are cut, and which it may write.
  void Follow(const DecodedMessage& told);

  std::byte* Admit(const FrameHeader& header) override;
  void Landed(const FrameHeader& header, bool checksum_agrees) override;

 private:
  struct Lease {
    std::uint32_t first_page = 0;
    std::vector<PageId> pages;
  };

  const KvArena& pages_;
  FrameSink* table_ = nullptr;
  std::map<SessionId, std::uint32_t> piece_bytes_;
  std::map<LeaseId, Lease> leases_;
  bool lawful_ = false;  // the frame that lands now was admitted by the table
};

}  // namespace baton
