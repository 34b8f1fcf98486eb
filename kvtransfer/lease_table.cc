#include "kvtransfer/lease_table.h"

#include <utility>

#include "base/check.h"
#include "kvtransfer/handoff_digest.h"

namespace baton {

void LeaseTable::OpenSession(SessionId session, const PiecePlan& plan) {
  BATON_CHECK(plan.valid() && plan.page_bytes == arena_.layout().PageBytes());
  sessions_.emplace(session, Session{plan, 0, 0});
}

std::vector<LeaseId> LeaseTable::CloseSession(SessionId session) {
  std::vector<LeaseId> closed;
  std::erase_if(leases_, [&](const auto& entry) {
    if (entry.second.session != session) return false;
    closed.push_back(entry.first);
    return true;
  });
  sessions_.erase(session);
  return closed;
}

LeaseId LeaseTable::Open(SessionId session, std::uint32_t first_page) {
  const auto found = sessions_.find(session);
  BATON_CHECK(found != sessions_.end());
  const LeaseId id{next_lease_++};
  Lease lease;
  lease.session = session;
  lease.plan = found->second.plan;
  lease.first_page = first_page;
  leases_.emplace(id, std::move(lease));
  return id;
}

void LeaseTable::Append(LeaseId id, std::span<const PageId> pages) {
  const auto found = leases_.find(id);
  BATON_CHECK(found != leases_.end());
  Lease& lease = found->second;
  for (const PageId page : pages) {
    BATON_CHECK(Index(page) < arena_.num_pages());
    lease.pages.push_back(page);
  }
  lease.landed.resize(lease.pages.size() * lease.plan.pieces());
  lease.progress.pages = static_cast<std::uint32_t>(lease.pages.size());
  lease.progress.pieces_granted = lease.landed.size();
}

LeaseProgress LeaseTable::Erase(LeaseId id) {
  const auto found = leases_.find(id);
  BATON_CHECK(found != leases_.end());
  const LeaseProgress progress = found->second.progress;
  leases_.erase(found);
  return progress;
}

const LeaseProgress* LeaseTable::Find(LeaseId id) const {
  const auto found = leases_.find(id);
  return found == leases_.end() ? nullptr : &found->second.progress;
}

std::uint64_t LeaseTable::FramesOffered(SessionId session) const {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? 0 : found->second.frames;
}

std::uint64_t LeaseTable::BytesOffered(SessionId session) const {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? 0 : found->second.bytes;
}

void LeaseTable::TakeTouched(std::vector<LeaseId>& out) {
  for (const LeaseId id : touched_) {
    const auto found = leases_.find(id);
    if (found != leases_.end()) found->second.touched = false;
  }
  out.clear();
  out.swap(touched_);
}

std::byte* LeaseTable::Admit(const FrameHeader& header) {
  const auto session = sessions_.find(header.session);
  if (session == sessions_.end()) return Refuse(stats_.stale_refused);
  ++session->second.frames;
  session->second.bytes += header.bytes;

  const auto found = leases_.find(header.lease);
  if (found == leases_.end()) {
    const bool never = Index(header.lease) == 0 || Index(header.lease) >= next_lease_;
    return Refuse(never ? stats_.wild_refused : stats_.stale_refused);
  }
  Lease& lease = found->second;
  if (lease.session != header.session) return Refuse(stats_.wild_refused);
  if (!Granted(lease, header)) return Refuse(stats_.wild_refused);
  if (!InBounds(lease.plan, header)) return Refuse(stats_.wild_refused);
  if (lease.landed[BitOf(lease, header)]) return Refuse(stats_.duplicates);

  const PageId page = lease.pages[header.page - lease.first_page];
  return arena_.Page(page).data() + lease.plan.OffsetOf(header.piece);
}

void LeaseTable::Landed(const FrameHeader& header, bool checksum_agrees) {
  const auto found = leases_.find(header.lease);
  BATON_CHECK(found != leases_.end());  // Admit and Landed stand in one Poll
  Lease& lease = found->second;
  if (!lease.touched) {
    lease.touched = true;
    touched_.push_back(header.lease);
  }
  if (!checksum_agrees) {
    ++stats_.crc_errors;
    lease.progress.corrupt = true;
    return;
  }
  lease.landed[BitOf(lease, header)] = true;
  ++lease.progress.pieces_landed;
  lease.progress.bytes += header.bytes;
  lease.progress.digest += DigestOfPiece(header.page, header.piece, header.crc32c);
  stats_.bytes_landed += header.bytes;
}

std::byte* LeaseTable::Refuse(std::uint64_t& counter) const {
  ++counter;
  return nullptr;
}

bool LeaseTable::Granted(const Lease& lease, const FrameHeader& header) const {
  return header.page >= lease.first_page && header.page - lease.first_page < lease.pages.size();
}

bool LeaseTable::InBounds(const PiecePlan& plan, const FrameHeader& header) const {
  return header.pieces == plan.pieces() && header.piece < plan.pieces() &&
         header.bytes == plan.BytesOf(header.piece);
}

std::size_t LeaseTable::BitOf(const Lease& lease, const FrameHeader& header) const {
  return std::size_t{header.page - lease.first_page} * lease.plan.pieces() + header.piece;
}

}  // namespace baton
