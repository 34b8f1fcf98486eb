#include "kvtransfer/loopback_transport.h"

#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "kvtransfer/copy_crc.h"

namespace baton {
namespace {

constexpr std::size_t kPeersMax = 1024;
constexpr std::size_t kItemsMax = 4096;       // under way on one endpoint
constexpr std::uint32_t kFramesPerPoll = 64;  // as the contract says
constexpr std::size_t kAddressBytes = 256;

absl::Status Lost(const char* why) { return absl::UnavailableError(why); }

}  // namespace

void LoopbackFabric::Cut(const std::string& a, const std::string& b) {
  for (const auto& [address, member] : members_) {
    if (address != a && address != b) continue;
    const std::string& other = address == a ? b : a;
    for (std::size_t i = 0; i < member->links_.size(); ++i) {
      LoopbackTransport::Link& link = member->links_[i];
      if (link.open && link.to == other) {
        member->Lose(link, PeerId{static_cast<std::uint32_t>(i)}, Lost("link cut"), true);
      }
    }
  }
}

LoopbackTransport::LoopbackTransport(LoopbackFabric& fabric, std::string address)
    : fabric_(fabric), address_(std::move(address)) {
  const bool is_new = fabric_.members_.emplace(address_, this).second;
  BATON_CHECK(is_new);
}

LoopbackTransport::~LoopbackTransport() {
  fabric_.members_.erase(address_);
  for (const auto& [address, member] : fabric_.members_) {
    for (std::size_t i = 0; i < member->links_.size(); ++i) {
      Link& link = member->links_[i];
      if (!link.open || link.to != address_) continue;
      member->Lose(link, PeerId{static_cast<std::uint32_t>(i)}, Lost("peer gone"), true);
    }
  }
}

absl::StatusOr<PeerId> LoopbackTransport::Connect(absl::string_view address) {
  if (address.empty() || address.size() > kAddressBytes) {
    return absl::InvalidArgumentError("loopback: not an address");
  }
  if (links_.size() >= kPeersMax) return absl::ResourceExhaustedError("loopback: too many peers");
  const PeerId peer{static_cast<std::uint32_t>(links_.size())};
  links_.push_back({std::string(address), true, {}});
  if (fabric_.members_.count(links_.back().to) == 0) {
    Lose(links_.back(), peer, Lost("nobody at that address"), true);
  }
  return peer;
}

void LoopbackTransport::Close(PeerId peer) {
  if (Index(peer) >= links_.size()) return;
  Link& link = LinkOf(peer);
  if (link.open) Lose(link, peer, absl::CancelledError("endpoint closed"), false);
}

absl::Status LoopbackTransport::CheckOpen(PeerId peer) const {
  if (Index(peer) >= links_.size() || !links_[Index(peer)].open) {
    return absl::UnavailableError("loopback: peer lost or closed");
  }
  return absl::OkStatus();
}

absl::Status LoopbackTransport::Write(PeerId peer, std::span<const FrameWrite> frames,
                                      std::uint64_t tag) {
  BATON_RETURN_IF_ERROR(CheckOpen(peer));
  if (frames.empty()) return absl::InvalidArgumentError("loopback: a write of no frames");
  for (const FrameWrite& frame : frames) {
    const bool fits = frame.header.bytes > 0 && frame.header.bytes <= kFrameBytesMax;
    if (!fits || frame.source == nullptr) return absl::InvalidArgumentError("loopback: bad frame");
  }
  Link& link = LinkOf(peer);
  if (link.items.size() + frames.size() > kItemsMax) {
    return absl::ResourceExhaustedError("loopback: too much posted");
  }
  const LoopbackTransport* receiver = fabric_.members_.at(link.to);
  const std::uint64_t not_before = receiver->polls_ + fabric_.faults(address_, link.to).delay_polls;
  for (const FrameWrite& frame : frames) {
    link.items.push_back({frame, "", tag, &frame == &frames.back(), not_before});
  }
  return absl::OkStatus();
}

absl::Status LoopbackTransport::Send(PeerId peer, absl::string_view payload) {
  BATON_RETURN_IF_ERROR(CheckOpen(peer));
  if (payload.empty() || payload.size() > kMessageBytesMax) {
    return absl::InvalidArgumentError("loopback: empty or too long a message");
  }
  Link& link = LinkOf(peer);
  if (link.items.size() >= kItemsMax) {
    return absl::ResourceExhaustedError("loopback: too much posted");
  }
  const LoopbackTransport* receiver = fabric_.members_.at(link.to);
  const std::uint64_t not_before = receiver->polls_ + fabric_.faults(address_, link.to).delay_polls;
  link.items.push_back({FrameWrite{}, std::string(payload), 0, false, not_before});
  return absl::OkStatus();
}

void LoopbackTransport::Lose(Link& link, PeerId peer, const absl::Status& reason, bool report) {
  link.open = false;
  for (const Item& item : std::exchange(link.items, {})) {
    if (item.last_of_write) due_.push_back(WriteDone{item.tag, reason});
  }
  if (report) due_.push_back(PeerLost{peer, reason});
}

void LoopbackTransport::Poll(std::vector<TransportEvent>& events) {
  ++polls_;
  for (TransportEvent& event : std::exchange(due_, {})) events.push_back(std::move(event));
  std::uint32_t frames_left = kFramesPerPoll;
  for (const auto& [address, from] : fabric_.members_) {
    for (Link& link : from->links_) {
      if (!link.open || link.to != address_) continue;
      while (!link.items.empty() && Deliver(*from, link, frames_left, events)) {
      }
    }
  }
}

bool LoopbackTransport::Deliver(LoopbackTransport& from, Link& link, std::uint32_t& frames_left,
                                std::vector<TransportEvent>& events) {
  LoopbackFaults& faults = fabric_.faults(from.address_, address_);
  Item& front = link.items.front();
  const bool is_frame = front.frame.source != nullptr;
  if (faults.held || front.not_before >= polls_ || (is_frame && frames_left == 0)) return false;
  const bool comes_again = faults.duplicate > 0 && !front.came;
  if (comes_again) --faults.duplicate;
  front.came = true;
  const Item item = front;
  if (!comes_again) link.items.pop_front();
  const bool dropped = faults.drop > 0;
  if (dropped) --faults.drop;
  if (is_frame) --frames_left;
  if (is_frame && !dropped) Land(item, faults);
  if (!is_frame && !dropped) events.push_back(MessageReceived{item.payload});
  if (item.last_of_write && !comes_again) {
    from.due_.push_back(WriteDone{item.tag, absl::OkStatus()});
  }
  return true;
}

void LoopbackTransport::Land(const Item& item, LoopbackFaults& faults) {
  const FrameHeader& header = item.frame.header;
  std::byte* place = sink_ == nullptr ? nullptr : sink_->Admit(header);
  if (place == nullptr) return;
  const std::byte* source = item.frame.source;
  if (faults.damage > 0) {
    --faults.damage;
    damaged_.assign(source, source + header.bytes);
    damaged_.back() ^= std::byte{0x10};
    source = damaged_.data();
  }
  const std::uint32_t crc = CopyAndCrc32c(place, source, header.bytes);
  sink_->Landed(header, crc == header.crc32c);
}

bool LoopbackTransport::HasWork() const {
  if (!due_.empty()) return true;
  for (const auto& [address, from] : fabric_.members_) {
    for (const Link& link : from->links_) {
      if (link.open && link.to == address_ && !link.items.empty()) return true;
    }
  }
  return false;
}

bool LoopbackTransport::ArmWakeup() { return !HasWork(); }

PeerDescription LoopbackTransport::Describe(PeerId) const {
  return {"validated", "loopback", fabric_.frame_bytes_best_};
}

}  // namespace baton
