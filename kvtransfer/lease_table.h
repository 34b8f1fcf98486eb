// Who may write which inbound page: the decode end's fence. A frame lands only when its session is
// known, its lease is open and of that session, the ordinal is granted, the piece lies inside the
// page, and its bit is not set; the place is looked up here, so a sender cannot name an address.
//
// Erase is the fence: landings happen on this thread inside Transport::Poll alone, so "lease
// erased" and "no later byte lands" are one event. Ids only grow, so closed leases need no memory.
//
// Pure: no clock, wire or pool. Owns page numbers, not the right to them (that stays with the
// engine thread). Thread: confined to the transfer thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/ids.h"
#include "kvcache/kv_arena.h"
#include "kvtransfer/piece_plan.h"
#include "kvtransfer/transport.h"

namespace baton {

/// What landed under a lease so far.
struct LeaseProgress {
  std::uint32_t pages = 0;  // granted
  std::uint64_t pieces_landed = 0;
  std::uint64_t pieces_granted = 0;
  std::uint64_t bytes = 0;
  std::uint64_t digest = 0;
  bool corrupt = false;  // a checksum did not hold

  bool whole() const { return !corrupt && pieces_landed == pieces_granted; }
};

struct LeaseTableStats {
  std::uint64_t bytes_landed = 0;
  std::uint64_t stale_refused = 0;  // lease or session closed
  std::uint64_t wild_refused = 0;   // never a lease, or ordinal, piece or size out of bounds
  std::uint64_t duplicates = 0;
  std::uint64_t crc_errors = 0;
};

class LeaseTable final : public FrameSink {
 public:
  /// `arena` outlives this.
  explicit LeaseTable(const KvArena& arena) : arena_(arena) {}

  /// `plan` is valid and cuts the arena's pages: how this session's frames carry them.
  void OpenSession(SessionId session, const PiecePlan& plan);

  /// Erases the session's leases with it; returns them in order.
  std::vector<LeaseId> CloseSession(SessionId session);

  /// A new lease of no pages yet; ordinals are counted from `first_page` of the prompt. The id is
  /// greater than all before. The session must be open.
  LeaseId Open(SessionId session, std::uint32_t first_page);

  /// Lends `pages` for the ordinals that follow. The lease must be open, the pages in the arena.
  void Append(LeaseId lease, std::span<const PageId> pages);

  /// The fence: when this returns, no byte of the lease lands any more. Returns what had landed.
  /// The lease must be open.
  LeaseProgress Erase(LeaseId lease);

  /// Null when not open.
  const LeaseProgress* Find(LeaseId lease) const;

  /// Frames of the session offered so far, refused ones included. 0 when not open.
  std::uint64_t FramesOffered(SessionId session) const;
  /// Their payload bytes: what the sender's window gets back.
  std::uint64_t BytesOffered(SessionId session) const;

  /// Sets `out` to the leases that something landed in since the last call, each once, in order of
  /// first landing. Keeps its memory, and the table's.
  void TakeTouched(std::vector<LeaseId>& out);

  std::byte* Admit(const FrameHeader& header) override;
  void Landed(const FrameHeader& header, bool checksum_agrees) override;

  std::size_t size() const { return leases_.size(); }
  const LeaseTableStats& stats() const { return stats_; }

 private:
  struct Session {
    PiecePlan plan;
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
  };
  struct Lease {
    SessionId session{};
    PiecePlan plan;  // its session's
    std::uint32_t first_page = 0;
    std::vector<PageId> pages;  // by ordinal - first_page
    std::vector<bool> landed;   // by (ordinal - first_page) * pieces + piece
    LeaseProgress progress;
    bool touched = false;
  };

  std::byte* Refuse(std::uint64_t& counter) const;
  bool Granted(const Lease& lease, const FrameHeader& header) const;
  bool InBounds(const PiecePlan& plan, const FrameHeader& header) const;
  std::size_t BitOf(const Lease& lease, const FrameHeader& header) const;

  const KvArena& arena_;
  std::map<SessionId, Session> sessions_;
  std::map<LeaseId, Lease> leases_;
  std::uint64_t next_lease_ = 1;
  std::vector<LeaseId> touched_;
  LeaseTableStats stats_;
};

}  // namespace baton
