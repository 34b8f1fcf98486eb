// A Transport between workers of one process, for tests, for simulations and for serving in one
// process. Deterministic: events happen only in Poll(), in the order posted; source bytes are read
// when the receiver polls, as a network card would, so a page that is reused too early shows.
//
// The fabric between two addresses can be told to hold, drop, duplicate, delay, damage and cut, so
// that a failure can be placed between any two events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kvtransfer/transport.h"

namespace baton {

class LoopbackTransport;

/// What happens to traffic of one direction between two addresses.
struct LoopbackFaults {
  bool held = false;              // nothing arrives; it waits
  std::uint32_t drop = 0;         // so many of the next items vanish, their writes reported as fine
  std::uint32_t duplicate = 0;    // so many arrive twice
  std::uint32_t damage = 0;       // so many frames have a byte changed on their way
  std::uint32_t delay_polls = 0;  // items posted from now on wait for so many polls of the receiver
};

/// The shared medium; outlives every transport made on it. All of one thread.
class LoopbackFabric {
 public:
  /// Of everything from `from` to `to`, now and later.
  LoopbackFaults& faults(const std::string& from, const std::string& to) {
    return faults_[{from, to}];
  }

  /// Loses every endpoint between the two, both ways, and what is under way.
  void Cut(const std::string& a, const std::string& b);

  /// What endpoints describe as their best, from now on: small, and small pages travel in pieces.
  void SetFrameBytesBest(std::size_t bytes) { frame_bytes_best_ = bytes; }

 private:
  friend class LoopbackTransport;

  std::map<std::string, LoopbackTransport*> members_;  // by address; one life each
  std::map<std::pair<std::string, std::string>, LoopbackFaults> faults_;
  std::size_t frame_bytes_best_ = kFrameBytesOneSegment;
};

class LoopbackTransport final : public Transport {
 public:
  /// `address` is free, or its former holder was destroyed: a new life in an old place.
  LoopbackTransport(LoopbackFabric& fabric, std::string address);
  ~LoopbackTransport() override;

  void SetSink(FrameSink* sink) override { sink_ = sink; }
  std::string address() const override { return address_; }
  absl::StatusOr<PeerId> Connect(absl::string_view address) override;
  void Close(PeerId peer) override;
  absl::Status Write(PeerId peer, std::span<const FrameWrite> frames, std::uint64_t tag) override;
  absl::Status Send(PeerId peer, absl::string_view payload) override;
  void Poll(std::vector<TransportEvent>& events) override;
  int wake_fd() const override { return -1; }
  bool ArmWakeup() override;
  PeerDescription Describe(PeerId peer) const override;

 private:
  friend class LoopbackFabric;

  /// A frame, or a message when `frame.source` is null.
  struct Item {
    FrameWrite frame;
    std::string payload;
    std::uint64_t tag = 0;
    bool last_of_write = false;
    std::uint64_t not_before = 0;  // the receiver's poll
    bool came = false;             // once already: it was told to come twice
  };
  /// One endpoint of ours and what it has under way.
  struct Link {
    std::string to;
    bool open = true;
    std::deque<Item> items;
  };

  absl::Status CheckOpen(PeerId peer) const;
  Link& LinkOf(PeerId peer) { return links_[Index(peer)]; }
  void Lose(Link& link, PeerId peer, const absl::Status& reason, bool report);
  /// Takes the front item of `link`, which leads here. False when it must wait.
  bool Deliver(LoopbackTransport& from, Link& link, std::uint32_t& frames_left,
               std::vector<TransportEvent>& events);
  void Land(const Item& item, LoopbackFaults& faults);
  bool HasWork() const;

  LoopbackFabric& fabric_;
  const std::string address_;
  FrameSink* sink_ = nullptr;
  std::vector<Link> links_;          // by PeerId
  std::vector<TransportEvent> due_;  // for our next Poll
  std::uint64_t polls_ = 0;
  std::vector<std::byte> damaged_;
};

}  // namespace baton
