// What may happen next in a small world, and what tells two worlds apart.
#include <cstring>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "tests/sim/small_world.h"

namespace baton {
namespace {

constexpr Instant kNow{std::chrono::hours(1)};

constexpr std::array kNames = {
    "connect",     "start",         "compute",     "token",       "last token",  "post",
    "report",      "report failed", "cancel at P", "timer at P",  "lend",        "lend all",
    "take lent",   "drop at D",     "timer at D",  "finish",      "arrive at D", "arrive damaged",
    "arrive at P", "arrive late",   "late frame",  "notice at D", "notice at P", "restart"};

/// The bytes of a plain value, without what stands between its members.
template <typename T>
void AppendBytes(const T& value, std::string& out) {
  static_assert(std::is_trivially_copyable_v<T>, "a search compares machines byte by byte");
  T plain(value);
  __builtin_clear_padding(&plain);
  out.append(reinterpret_cast<const char*>(&plain), sizeof(T));
}

void AppendNumbers(std::initializer_list<std::uint64_t> numbers, std::string& out) {
  for (const std::uint64_t number : numbers) out.push_back(static_cast<char>(number));
}

}  // namespace

std::string NameOf(const SmallMove& move) {
  return absl::StrCat(kNames[static_cast<std::size_t>(move.kind)], " ", move.which);
}

std::vector<SmallMove> SmallWorld::Moves() const {
  std::vector<SmallMove> moves;
  for (int which = 0; which < kSmallHandoffs; ++which) {
    MovesOfSource(which, moves);
    MovesOfTarget(which, moves);
  }
  MovesOfWire(moves);
  return moves;
}

bool SmallWorld::MayEnd(int which) const {
  const bool broken = restarts_left_ < options_.restarts || cuts_left_ < options_.cuts;
  return which == 0 || broken || SourceOf(0).settled > 0;
}

void SmallWorld::MovesOfSource(int which, std::vector<SmallMove>& moves) const {
  const Source& source = SourceOf(which);
  if (!source.sender.has_value()) {
    moves.push_back({SmallKind::kStart, which});
    return;
  }
  if (source.posted != source.reported) {
    moves.push_back({SmallKind::kReport, which});
    if (damages_left_ > 0) moves.push_back({SmallKind::kReportFailed, which});
  }
  if (source.sender->terminal()) return;
  if (source.ready < PagesOf(which)) moves.push_back({SmallKind::kCompute, which});
  if (source.ready == PagesOf(which) && !source.token) {
    moves.push_back({SmallKind::kToken, which});
    if (MayEnd(which)) moves.push_back({SmallKind::kLastToken, which});
  }
  PieceToSend piece;
  if (source.sender->NextPiece(0, kNow, piece)) moves.push_back({SmallKind::kPost, which});
  if (!MayEnd(which)) return;
  if (source.sender->state() != SenderState::kCommitting)
    moves.push_back({SmallKind::kCancelAtP, which});
  moves.push_back({SmallKind::kTimerAtP, which});
}

void SmallWorld::MovesOfTarget(int which, std::vector<SmallMove>& moves) const {
  const Target& target = TargetOf(which);
  if (!target.receiver.has_value()) return;
  const ReceiverState state = target.receiver->state();
  const bool takes = state == ReceiverState::kOffered || state == ReceiverState::kReceiving;
  if (takes && !target.lent_all) {
    const std::uint32_t left = LeftToLend(which);
    if (left <= FreePages()) moves.push_back({SmallKind::kLendAll, which});
    if (left > 1 && FreePages() > 0) moves.push_back({SmallKind::kLend, which});
  }
  for (const Page& page : pages_) {
    if (page.owned_by != which) continue;
    moves.push_back({SmallKind::kFinish, which});
    break;
  }
  if (target.receiver->over() || !MayEnd(which)) return;
  moves.push_back({SmallKind::kDropAtD, which});
  if (takes) moves.push_back({SmallKind::kTimerAtD, which});
}

void SmallWorld::MovesOfWire(std::vector<SmallMove>& moves) const {
  if (!lends_.empty()) moves.push_back({SmallKind::kTakeLent, 0});
  bool waits = false;
  for (const Source& source : sources_) {
    waits |= source.sender.has_value() && source.sender->state() == SenderState::kWaiting;
  }
  if (p_session_ == 0 && waits) moves.push_back({SmallKind::kConnect, 0});
  if (!to_d_.empty()) {
    moves.push_back({SmallKind::kArriveAtD, 0});
    const bool frame = std::holds_alternative<Frame>(to_d_.front().item);
    if (frame && damages_left_ > 0) moves.push_back({SmallKind::kArriveDamaged, 0});
  }
  if (!to_p_.empty()) {
    moves.push_back({SmallKind::kArriveAtP, 0});
    if (std::holds_alternative<GrantMessage>(to_p_.front().item))
      moves.push_back({SmallKind::kArriveLate, 0});
  }
  for (std::size_t i = 0; i < late_.size(); ++i) {
    moves.push_back({SmallKind::kLateFrame, static_cast<int>(i)});
  }
  const bool joined = p_session_ != 0 && p_session_ == d_session_;
  if (joined && cuts_left_ > 0) {
    moves.push_back({SmallKind::kNoticeAtP, 0});
    moves.push_back({SmallKind::kNoticeAtD, 0});
  }
  if (p_session_ != 0 && d_session_ == 0) moves.push_back({SmallKind::kNoticeAtP, 0});
  if (d_session_ != 0 && p_session_ == 0) moves.push_back({SmallKind::kNoticeAtD, 0});
  if (restarts_left_ > 0) moves.push_back({SmallKind::kRestart, 0});
}

std::string SmallWorld::Fingerprint() const {
  std::string out;
  AppendNumbers({static_cast<std::uint64_t>(restarts_left_), static_cast<std::uint64_t>(cuts_left_),
                 static_cast<std::uint64_t>(damages_left_), static_cast<std::uint64_t>(sessions_),
                 static_cast<std::uint64_t>(p_session_), static_cast<std::uint64_t>(d_session_)},
                out);
  for (int which = 0; which < kSmallHandoffs; ++which) {
    const Source& source = SourceOf(which);
    AppendNumbers({source.sender.has_value(), source.ready, source.token, source.posted,
                   source.reported, source.owes_ack, source.granted.size()},
                  out);
    if (source.sender.has_value()) AppendBytes(*source.sender, out);
    for (const std::uint32_t page : source.granted) AppendNumbers({page}, out);
    const Target& target = TargetOf(which);
    AppendNumbers({target.receiver.has_value(), Index(target.lease), target.lease_open,
                   target.committed, target.lent_all, target.grants, target.pages.size()},
                  out);
    if (target.receiver.has_value()) AppendBytes(*target.receiver, out);
    for (const PageId page : target.pages) AppendNumbers({Index(page)}, out);
    const LeaseProgress* progress = target.lease_open ? leases_->Find(target.lease) : nullptr;
    if (progress != nullptr) AppendBytes(*progress, out);
  }
  for (const Page& page : pages_) AppendBytes(page, out);
  for (const Lend& lend : lends_) {
    AppendNumbers({static_cast<std::uint64_t>(lend.handoff), lend.pages.size(), lend.final}, out);
    for (const PageId page : lend.pages) AppendNumbers({Index(page)}, out);
  }
  AppendWire(to_d_, out);
  AppendWire(to_p_, out);
  for (const auto& [session, frame] : late_) {
    AppendNumbers({static_cast<std::uint64_t>(session)}, out);
    AppendBytes(frame, out);
  }
  return out;
}

void SmallWorld::AppendWire(const std::deque<Sent>& wire, std::string& out) {
  AppendNumbers({wire.size()}, out);
  for (const Sent& sent : wire) {
    AppendNumbers({static_cast<std::uint64_t>(sent.session), sent.item.index()}, out);
    if (const auto* grant = std::get_if<GrantMessage>(&sent.item)) {
      AppendNumbers({Index(grant->handoff), Index(grant->lease), grant->number, grant->final}, out);
      for (const PageRun& run : grant->runs) AppendNumbers({run.page}, out);
      continue;
    }
    std::visit(
        [&out](const auto& item) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(item)>, GrantMessage>) {
            AppendBytes(item, out);
          }
        },
        sent.item);
  }
}

}  // namespace baton
