// The smallest world in which a late write could land in somebody else's page: one worker at each
// end, two hand-offs, a pool of two pages, a wire that may break once and a decode worker that may
// restart once. Both machines and the lease table are the code that ships; the rest is a value that
// a search copies, so that it can try every order of everything that may happen.
//
// The first hand-off may be ended by anybody at any time. The second is the bystander who gets its
// pages: it goes its way, and is ended only once something has broken or the first is settled.
//
// Time stands still: a machine's timer is a move like any other and brings its own time along.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kvcache/kv_arena.h"
#include "kvtransfer/handoff_receiver.h"
#include "kvtransfer/handoff_sender.h"
#include "kvtransfer/lease_table.h"

namespace baton {

inline constexpr int kSmallHandoffs = 2;
inline constexpr std::uint32_t kSmallPages = 2;  // of the pool

struct SmallOptions {
  std::array<std::uint32_t, kSmallHandoffs> prompt_pages = {2, 1};
  std::uint32_t held_pages = 0;  // of the first prompt, by the decode worker
  int restarts = 1;
  int cuts = 1;
  int damages = 1;    // frames whose checksum does not hold, and writes that report an error
  bool puts = false;  // frames land where the Grant said, whatever has become of its lease
};

enum class SmallKind : std::uint8_t {
  kConnect,       // P says hello, and is welcome
  kStart,         // a prompt is about to run
  kCompute,       // a page of it is complete
  kToken,         // its first token is known
  kLastToken,     // and is the last
  kPost,          // a piece goes to the wire
  kReport,        // the transport says that its source may go
  kReportFailed,  // or that it could not be sent
  kCancelAtP,
  kTimerAtP,
  kLend,      // D's engine lends the next page
  kLendAll,   // or all that are left
  kTakeLent,  // its transfer side hears of it
  kDropAtD,
  kTimerAtD,
  kFinish,     // the sequence at D is over
  kArriveAtD,  // what stands first on the wire
  kArriveDamaged,
  kArriveAtP,
  kArriveLate,  // at P: a Grant that lay somewhere for too long
  kLateFrame,   // of a session that is gone
  kNoticeAtD,   // the session is lost
  kNoticeAtP,
  kRestart,  // D dies and comes back empty
};

struct SmallMove {
  SmallKind kind{};
  int which = 0;  // a hand-off, or for late frames a place
};

std::string NameOf(const SmallMove& move);

class SmallWorld {
 public:
  /// `arena` has kSmallPages pages, is never written, and outlives the world.
  SmallWorld(const KvArena& arena, const SmallOptions& options);

  /// Everything that may happen next.
  std::vector<SmallMove> Moves() const;

  void Do(const SmallMove& move);

  /// "" while every invariant holds.
  const std::string& violation() const { return violation_; }

  /// What is wrong with this as an end: nothing may happen any more. "" when nothing is.
  std::string Unrest() const;

  /// Equal for equal worlds, and for no others.
  std::string Fingerprint() const;

 private:
  struct Frame {
    int handoff = 0;
    std::uint32_t page = 0;
    LeaseId lease{};
    int put = -1;  // one-sided: the page that the Grant named
  };
  struct Abort {
    int handoff = 0;
    LeaseId lease{};  // 0: none yet
  };
  struct Ack {  // of a Commit
    int handoff = 0;
    LeaseId lease{};
    bool ok = false;
  };
  struct Offer {
    int handoff = 0;
  };
  using Item = std::variant<Offer, Frame, CommitMessage, Abort, GrantMessage, Ack>;
  struct Sent {
    int session = 0;
    Item item;
  };
  struct Source {
    std::optional<HandoffSender> sender;
    std::uint32_t ready = 0;
    bool token = false;
    std::uint32_t posted = 0;            // pages, a bit each
    std::uint32_t reported = 0;          // of those
    std::vector<std::uint32_t> granted;  // page numbers, from first_page on
    bool owes_ack = false;               // D waits to hear that nothing of its lease is outstanding
    int ended = 0;
    int settled = 0;
  };
  struct TargetFacts {
    LeaseId lease{};
    bool lease_open = false;
    int ended = 0;
    bool committed = false;
    std::vector<PageId> pages;  // lent, in the prompt's order
    std::uint32_t grants = 0;
    bool lent_all = false;
  };
  struct Target : TargetFacts {
    std::optional<HandoffReceiver> receiver;  // null: it died before it knew of the prompt's end

    void Forget() {
      static_cast<TargetFacts&>(*this) = {};
      receiver.reset();
    }
  };
  struct Lend {
    int handoff = 0;
    std::vector<PageId> pages;
    bool final = false;
  };
  struct Page {
    int lent_to = -1;
    int owned_by = -1;
    int holds = -1;  // bytes of this hand-off
    std::uint32_t ordinal = 0;

    bool free() const { return lent_to < 0 && owned_by < 0; }
  };

  // small_moves.cc: what may happen
  bool MayEnd(int which) const;
  void MovesOfSource(int which, std::vector<SmallMove>& moves) const;
  void MovesOfTarget(int which, std::vector<SmallMove>& moves) const;
  void MovesOfWire(std::vector<SmallMove>& moves) const;

  void DoAtSource(const SmallMove& move);
  void DoAtTarget(const SmallMove& move);
  void DoOnWire(const SmallMove& move);

  void Connect();
  void Start(int which);
  void Post(int which);
  void Report(int which, bool ok);
  void LendPages(int which, bool all);
  void TakeLent();
  void ArriveAtD(bool whole);
  void ArriveAtP(bool late);
  void Land(const Frame& frame, int session, bool whole);
  void LandPut(const Frame& frame);
  void BreakWire();
  void LoseAtD();
  void LoseAtP();
  void Restart();

  void GiveSender(int which, const HandoffSender::Event& event, Instant now);
  void GiveReceiver(int which, const HandoffReceiver::Event& event, Instant now,
                    const Lend* lend = nullptr);
  void Act(int which, ReceiverAction action, const Lend* lend);
  void CloseLease(int which);
  void ToD(Item item) { to_d_.push_back({p_session_, std::move(item)}); }
  void ToP(Item item) { to_p_.push_back({d_session_, std::move(item)}); }
  void Expect(int which);
  static void AppendWire(const std::deque<Sent>& wire, std::string& out);
  std::uint32_t FreePages() const;
  std::uint32_t LeftToLend(int which) const;
  std::uint32_t FirstPage(int which) const { return which == 0 ? options_.held_pages : 0; }
  std::uint32_t PagesOf(int which) const {
    return options_.prompt_pages[static_cast<std::size_t>(which)];
  }
  Source& SourceOf(int which) { return sources_[static_cast<std::size_t>(which)]; }
  const Source& SourceOf(int which) const { return sources_[static_cast<std::size_t>(which)]; }
  Target& TargetOf(int which) { return targets_[static_cast<std::size_t>(which)]; }
  const Target& TargetOf(int which) const { return targets_[static_cast<std::size_t>(which)]; }
  void Break(const std::string& what) {
    if (violation_.empty()) violation_ = what;
  }

  const SmallOptions options_;
  const KvArena* const arena_;
  int restarts_left_;
  int cuts_left_;
  int damages_left_;
  int sessions_ = 0;   // begun
  int p_session_ = 0;  // 0 = none
  int d_session_ = 0;
  std::array<Source, kSmallHandoffs> sources_;
  std::array<Target, kSmallHandoffs> targets_;
  std::array<Page, kSmallPages> pages_;
  std::optional<LeaseTable> leases_;  // always; a restart makes a new one
  std::deque<Lend> lends_;            // on their way from D's engine to its transfer side
  std::deque<Sent> to_d_;
  std::deque<Sent> to_p_;
  std::vector<std::pair<int, Frame>> late_;  // session, frame: they may still arrive
  std::string violation_;
};

}  // namespace baton
