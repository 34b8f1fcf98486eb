#include "tests/sim/small_world.h"

#include <algorithm>
#include <type_traits>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "kvtransfer/handoff_digest.h"

namespace baton {
namespace {

constexpr Instant kNow{std::chrono::hours(1)};
constexpr Duration kPosting = std::chrono::seconds(4);
constexpr std::uint32_t kTokens = 8;  // of a page

std::uint32_t ChecksumOf(int handoff, std::uint32_t page) {
  return static_cast<std::uint32_t>(MixBits(static_cast<std::uint64_t>(handoff) * 16 + page));
}

PiecePlan PlanOf(const KvArena& arena) {
  return PiecePlan::Of(arena.layout(), arena.layout().PageBytes());  // one piece a page
}

HandoffId IdOf(int which) { return HandoffId{static_cast<std::uint64_t>(which) + 1}; }

}  // namespace

SmallWorld::SmallWorld(const KvArena& arena, const SmallOptions& options)
    : options_(options),
      arena_(&arena),
      restarts_left_(options.restarts),
      cuts_left_(options.cuts),
      damages_left_(options.damages),
      leases_(std::in_place, arena) {
  for (int which = 0; which < kSmallHandoffs; ++which) Expect(which);
}

void SmallWorld::Expect(int which) {
  HandoffReceiver::Plan plan;
  plan.id = {{1, static_cast<std::uint64_t>(which) + 1}, 1};
  plan.num_pages = PagesOf(which);
  plan.prompt_tokens = PagesOf(which) * kTokens;
  Target& target = TargetOf(which);
  target.Forget();
  target.receiver.emplace(plan, TransferLimits{});
}

void SmallWorld::Do(const SmallMove& move) {
  switch (move.kind) {
    case SmallKind::kStart:
    case SmallKind::kCompute:
    case SmallKind::kToken:
    case SmallKind::kLastToken:
    case SmallKind::kPost:
    case SmallKind::kReport:
    case SmallKind::kReportFailed:
    case SmallKind::kCancelAtP:
    case SmallKind::kTimerAtP:
      return DoAtSource(move);
    case SmallKind::kLend:
    case SmallKind::kLendAll:
    case SmallKind::kTakeLent:
    case SmallKind::kDropAtD:
    case SmallKind::kTimerAtD:
    case SmallKind::kFinish:
      return DoAtTarget(move);
    default:
      return DoOnWire(move);
  }
}

// --- P

void SmallWorld::DoAtSource(const SmallMove& move) {
  Source& source = SourceOf(move.which);
  switch (move.kind) {
    case SmallKind::kStart:
      return Start(move.which);
    case SmallKind::kCompute:
      return GiveSender(move.which, HandoffSender::PagesReady{++source.ready}, kNow);
    case SmallKind::kToken:
    case SmallKind::kLastToken:
      source.token = true;
      return GiveSender(move.which,
                        HandoffSender::FirstToken{7, move.kind == SmallKind::kLastToken}, kNow);
    case SmallKind::kPost:
      return Post(move.which);
    case SmallKind::kReport:
    case SmallKind::kReportFailed:
      return Report(move.which, move.kind == SmallKind::kReport);
    case SmallKind::kCancelAtP:
      return GiveSender(move.which, HandoffSender::Cancelled{HandoffReason::kCancelled}, kNow);
    default:
      return GiveSender(move.which, HandoffSender::Timer{}, source.sender->due());
  }
}

void SmallWorld::Start(int which) {
  HandoffSender::Plan plan;
  plan.handoff = IdOf(which);
  plan.attempt = 1;
  plan.num_pages = PagesOf(which);
  plan.prompt_tokens = PagesOf(which) * kTokens;
  SourceOf(which).sender.emplace(plan, TransferLimits{}, kNow);
  if (p_session_ != 0) GiveSender(which, HandoffSender::SessionOpened{PlanOf(*arena_)}, kNow);
}

void SmallWorld::Post(int which) {
  Source& source = SourceOf(which);
  PieceToSend piece;
  BATON_CHECK(source.sender->NextPiece(0, kNow, piece));
  Frame frame{which, piece.page, source.sender->lease(), -1};
  const std::size_t place = piece.page - source.sender->first_page();
  if (options_.puts) frame.put = static_cast<int>(source.granted.at(place));
  ToD(frame);
  source.posted |= 1U << piece.page;
  HandoffSender::Posted posted;
  posted.pieces = 1;
  posted.bytes = arena_->layout().PageBytes();
  posted.digest = DigestOfPiece(piece.page, 0, ChecksumOf(which, piece.page));
  GiveSender(which, posted, kNow);
}

/// Of the oldest write that has not reported.
void SmallWorld::Report(int which, bool ok) {
  Source& source = SourceOf(which);
  const std::uint32_t open = source.posted & ~source.reported;
  source.reported |= open & (~open + 1);
  if (!ok) --damages_left_;
  GiveSender(which, HandoffSender::WriteReported{ok}, kNow);
}

void SmallWorld::GiveSender(int which, const HandoffSender::Event& event, Instant now) {
  Source& source = SourceOf(which);
  for (const SenderAction action : source.sender->On(event, now)) {
    switch (action) {
      case SenderAction::kSendOffer:
        ToD(Offer{which});
        break;
      case SenderAction::kSendCommit:
        ToD(source.sender->commit());
        break;
      case SenderAction::kSendAbort:
        if (source.sender->drained()) source.owes_ack = false;
        ToD(Abort{which, source.sender->lease()});
        break;
      case SenderAction::kSendAbortAck:  // an erased lease waits for nobody
        if (!source.sender->drained()) Break("AbortAck before the last write has reported");
        source.owes_ack = false;
        break;
      case SenderAction::kNotifyGranted:
        break;
      case SenderAction::kNotifyEnded:
        if (++source.ended > 1) Break("P ends a hand-off twice");
        break;
      case SenderAction::kNotifySettled:
        if (++source.settled > 1) Break("P settles a hand-off twice");
        if (source.posted != source.reported) Break("source pages go under a write");
        break;
    }
  }
}

// --- D

void SmallWorld::DoAtTarget(const SmallMove& move) {
  Target& target = TargetOf(move.which);
  switch (move.kind) {
    case SmallKind::kLend:
    case SmallKind::kLendAll:
      return LendPages(move.which, move.kind == SmallKind::kLendAll);
    case SmallKind::kTakeLent:
      return TakeLent();
    case SmallKind::kDropAtD:
      return GiveReceiver(move.which, HandoffReceiver::Dropped{HandoffReason::kCancelled}, kNow);
    case SmallKind::kTimerAtD:
      return GiveReceiver(move.which, HandoffReceiver::Timer{}, target.receiver->due());
    default:
      for (Page& page : pages_) {
        if (page.owned_by == move.which) page.owned_by = -1;
      }
  }
}

std::uint32_t SmallWorld::FreePages() const {
  return static_cast<std::uint32_t>(
      std::count_if(pages_.begin(), pages_.end(), [](const Page& page) { return page.free(); }));
}

/// The engine lends fresh pages; its transfer side hears of it later.
void SmallWorld::LendPages(int which, bool all) {
  Target& target = TargetOf(which);
  const std::uint32_t left = LeftToLend(which);
  Lend lend{which, {}, all || left <= 1};
  const std::uint32_t count = all ? left : std::min<std::uint32_t>(left, 1);
  for (std::uint32_t i = 0; i < kSmallPages && lend.pages.size() < count; ++i) {
    if (!pages_[i].free()) continue;
    pages_[i].lent_to = which;
    lend.pages.push_back(PageId{i});
  }
  target.pages.insert(target.pages.end(), lend.pages.begin(), lend.pages.end());
  target.lent_all = lend.final;
  lends_.push_back(std::move(lend));
}

void SmallWorld::TakeLent() {
  const Lend lend = std::move(lends_.front());
  lends_.pop_front();
  const HandoffReceiver::Lent lent{FirstPage(lend.handoff),
                                   static_cast<std::uint32_t>(lend.pages.size()), lend.final};
  GiveReceiver(lend.handoff, lent, kNow, &lend);
}

void SmallWorld::GiveReceiver(int which, const HandoffReceiver::Event& event, Instant now,
                              const Lend* lend) {
  for (const ReceiverAction action : TargetOf(which).receiver->On(event, now)) {
    Act(which, action, lend);
  }
}

void SmallWorld::Act(int which, ReceiverAction action, const Lend* lend) {
  Target& target = TargetOf(which);
  switch (action) {
    case ReceiverAction::kNotifyOffer:
      return;
    case ReceiverAction::kOpenLease:
      target.lease =
          leases_->Open(static_cast<SessionId>(d_session_), target.receiver->first_page());
      target.lease_open = true;
      return;
    case ReceiverAction::kAppendLease:
      return leases_->Append(target.lease, lend->pages);
    case ReceiverAction::kSendGrant: {
      if (!target.lease_open) Break("a Grant of a lease that is not open");
      GrantMessage grant;
      grant.handoff = IdOf(which);
      grant.attempt = 1;
      grant.lease = target.lease;
      grant.number = target.grants++;
      grant.first_page = FirstPage(which);
      for (const PageId page : lend->pages) grant.runs.push_back({0, Index(page), 1});
      grant.final = lend->final;
      return ToP(grant);
    }
    case ReceiverAction::kEraseLease:
      leases_->Erase(target.lease);
      target.lease_open = false;
      return;
    case ReceiverAction::kSendAbort:
      return ToP(Abort{which, target.lease});
    case ReceiverAction::kAckCommit:
    case ReceiverAction::kRefuseCommit:
      return ToP(Ack{which, target.lease, action == ReceiverAction::kAckCommit});
    case ReceiverAction::kNotifyCommitted:
      target.committed = true;
      [[fallthrough]];
    case ReceiverAction::kNotifyFailed:
      if (++target.ended > 1) Break("D ends a hand-off twice");
      return;
    case ReceiverAction::kNotifyLeaseClosed:
    case ReceiverAction::kReturnPages:
      return CloseLease(which);
  }
}

/// The right to the pages comes back: to the sequence, or to the pool.
void SmallWorld::CloseLease(int which) {
  Target& target = TargetOf(which);
  if (target.lease_open) Break("pages move while their lease is open");
  for (Page& page : pages_) {
    if (page.lent_to != which) continue;
    page.lent_to = -1;
    if (target.committed) page.owned_by = which;
  }
  if (!target.committed) return;
  if (LeftToLend(which) != 0) Break("a commit of fewer pages than the prompt has");
  std::uint32_t ordinal = FirstPage(which);
  for (const PageId id : target.pages) {
    const Page& page = pages_[Index(id)];
    if (page.holds != which || page.ordinal != ordinal++)
      Break("a committed page holds other bytes");
  }
}

std::uint32_t SmallWorld::LeftToLend(int which) const {
  return PagesOf(which) - FirstPage(which) -
         static_cast<std::uint32_t>(TargetOf(which).pages.size());
}

std::string SmallWorld::Unrest() const {
  for (int which = 0; which < kSmallHandoffs; ++which) {
    const Source& source = SourceOf(which);
    if (!source.sender.has_value()) return "a prompt that never started";
    if (source.ended != 1)
      return absl::StrFormat("P ended hand-off %d %d times", which, source.ended);
    if (source.settled != 1) return "source pages that nobody gave back";
    if (source.owes_ack) return "an Abort of D's that was never acknowledged";
    const Target& target = TargetOf(which);
    if (target.receiver.has_value() && target.ended != 1) {
      return absl::StrFormat("D ended hand-off %d %d times", which, target.ended);
    }
  }
  if (FreePages() != kSmallPages) return "pages that are not free";
  return leases_->size() == 0 ? "" : "an open lease";
}

// --- the wire

void SmallWorld::DoOnWire(const SmallMove& move) {
  switch (move.kind) {
    case SmallKind::kConnect:
      return Connect();
    case SmallKind::kArriveAtD:
      return ArriveAtD(true);
    case SmallKind::kArriveDamaged:
      --damages_left_;
      return ArriveAtD(false);
    case SmallKind::kArriveAtP:
    case SmallKind::kArriveLate:
      return ArriveAtP(move.kind == SmallKind::kArriveLate);
    case SmallKind::kLateFrame: {
      const auto [session, frame] = late_[static_cast<std::size_t>(move.which)];
      late_.erase(late_.begin() + move.which);
      return Land(frame, session, true);
    }
    case SmallKind::kNoticeAtD:
    case SmallKind::kNoticeAtP:
      if (p_session_ == d_session_) --cuts_left_;  // else it is the same cut, seen from here
      return move.kind == SmallKind::kNoticeAtD ? LoseAtD() : LoseAtP();
    default:
      return Restart();
  }
}

/// Hello and its answer in one: a new Hello ends the session that D still held with this peer.
void SmallWorld::Connect() {
  LoseAtD();
  p_session_ = d_session_ = ++sessions_;
  leases_->OpenSession(static_cast<SessionId>(d_session_), PlanOf(*arena_));
  for (int which = 0; which < kSmallHandoffs; ++which) {
    if (SourceOf(which).sender.has_value())
      GiveSender(which, HandoffSender::SessionOpened{PlanOf(*arena_)}, kNow);
  }
}

void SmallWorld::ArriveAtD(bool whole) {
  const Sent sent = std::move(to_d_.front());
  to_d_.pop_front();
  if (const auto* frame = std::get_if<Frame>(&sent.item)) return Land(*frame, sent.session, whole);
  if (sent.session != d_session_) return;
  if (const auto* offer = std::get_if<Offer>(&sent.item)) {
    if (!TargetOf(offer->handoff).receiver.has_value()) return;
    OfferMessage message;
    message.handoff = IdOf(offer->handoff);
    message.prompt_tokens = PagesOf(offer->handoff) * kTokens;
    return GiveReceiver(offer->handoff, HandoffReceiver::Offered{message}, kNow);
  }
  if (const auto* abort = std::get_if<Abort>(&sent.item)) {
    if (!TargetOf(abort->handoff).receiver.has_value()) return;
    return GiveReceiver(abort->handoff, HandoffReceiver::PeerAborted{HandoffReason::kCancelled},
                        kNow);
  }
  const auto& commit = std::get<CommitMessage>(sent.item);
  const int which = static_cast<int>(Index(commit.handoff)) - 1;
  const Target& target = TargetOf(which);
  if (!target.lease_open || target.lease != commit.lease) {
    return ToP(Ack{which, commit.lease, target.committed});
  }
  GiveReceiver(which, HandoffReceiver::CommitArrived{commit, *leases_->Find(commit.lease)}, kNow);
}

void SmallWorld::Land(const Frame& frame, int session, bool whole) {
  if (options_.puts) return LandPut(frame);
  FrameHeader header;
  header.session = static_cast<SessionId>(session);
  header.lease = frame.lease;
  header.page = frame.page;
  header.pieces = 1;
  header.bytes = static_cast<std::uint32_t>(arena_->layout().PageBytes());
  header.crc32c = ChecksumOf(frame.handoff, frame.page);
  const std::byte* place = leases_->Admit(header);
  if (place == nullptr) return;
  const auto number = static_cast<std::size_t>(place - arena_->base()) / header.bytes;
  Page& page = pages_[number];
  if (page.lent_to != frame.handoff) Break("a frame lands in a page that is not lent to it");
  page.holds = whole ? frame.handoff : -1;
  page.ordinal = frame.page;
  leases_->Landed(header, whole);
  std::vector<LeaseId> touched;
  leases_->TakeTouched(touched);
  if (whole) return GiveReceiver(frame.handoff, HandoffReceiver::Progressed{}, kNow);
  GiveReceiver(frame.handoff, HandoffReceiver::Corrupted{}, kNow);
}

/// What a network card does with a remote key: it asks nobody.
void SmallWorld::LandPut(const Frame& frame) {
  Page& page = pages_[static_cast<std::size_t>(frame.put)];
  if (page.lent_to != frame.handoff) Break("a put lands in a page that is not lent to it");
  page.holds = frame.handoff;
}

void SmallWorld::ArriveAtP(bool late) {
  const Sent sent = std::move(to_p_.front());
  to_p_.pop_front();
  if (sent.session != p_session_) return;
  if (const auto* grant = std::get_if<GrantMessage>(&sent.item)) {
    const int which = static_cast<int>(Index(grant->handoff)) - 1;
    for (const PageRun& run : grant->runs) SourceOf(which).granted.push_back(run.page);
    const Instant until = late ? kNow : kNow + kPosting;
    return GiveSender(which, HandoffSender::Granted{*grant, until}, kNow);
  }
  if (const auto* abort = std::get_if<Abort>(&sent.item)) {
    SourceOf(abort->handoff).owes_ack = Index(abort->lease) != 0;
    return GiveSender(abort->handoff, HandoffSender::PeerAborted{HandoffReason::kCancelled}, kNow);
  }
  const auto& ack = std::get<Ack>(sent.item);
  if (SourceOf(ack.handoff).sender->lease() != ack.lease) return;
  GiveSender(ack.handoff, HandoffSender::CommitAcked{ack.ok, HandoffReason::kStale}, kNow);
}

/// Messages on their way are lost. Frames may be too, or may still come, whenever they like.
void SmallWorld::BreakWire() {
  for (const Sent& sent : to_d_) {
    if (const auto* frame = std::get_if<Frame>(&sent.item)) late_.push_back({sent.session, *frame});
  }
  to_d_.clear();
  to_p_.clear();
}

void SmallWorld::LoseAtD() {
  if (d_session_ == 0) return;
  for (int which = 0; which < kSmallHandoffs; ++which) {
    Target& target = TargetOf(which);
    if (target.receiver.has_value()) GiveReceiver(which, HandoffReceiver::SessionLost{}, kNow);
  }
  leases_->CloseSession(static_cast<SessionId>(d_session_));
  d_session_ = 0;
}

/// The transport reports every open write before it says that the peer is lost.
void SmallWorld::LoseAtP() {
  BreakWire();
  p_session_ = 0;
  for (int which = 0; which < kSmallHandoffs; ++which) {
    Source& source = SourceOf(which);
    if (!source.sender.has_value()) continue;
    source.owes_ack = false;
    while (source.posted != source.reported) {
      const std::uint32_t open = source.posted & ~source.reported;
      source.reported |= open & (~open + 1);
      GiveSender(which, HandoffSender::WriteReported{false}, kNow);
    }
    if (source.sender->state() != SenderState::kWaiting)
      GiveSender(which, HandoffSender::SessionLost{}, kNow);
  }
}

/// Its pages, leases and sequences are gone with it; prompts that P has not begun are announced to
/// its next life.
void SmallWorld::Restart() {
  --restarts_left_;
  BreakWire();
  d_session_ = 0;
  leases_.emplace(*arena_);
  lends_.clear();
  pages_ = {};
  for (int which = 0; which < kSmallHandoffs; ++which) {
    if (SourceOf(which).sender.has_value()) {
      TargetOf(which).Forget();
    } else {
      Expect(which);
    }
  }
}

}  // namespace baton
