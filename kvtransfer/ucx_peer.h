// One endpoint of ours as the layer above sees it: the stream to one peer, from Connect to its end.
//
//   opening ---- route known ----> ready ---+--> lost   (wire failed, or no answer in time)
//      |                             |      +--> closed (by us)
//      +-----------------------------+----------^
//
// Over TCP the route is the *door*, the endpoint to the address that the peer published. In shared
// memory it is a *lane*: a pair of workers, one at each end, for this stream alone. Lanes exist
// because UCX's shared memory has one receive queue a worker that all senders fill: a sender killed
// while it fills a slot leaves that queue jammed for everybody, for ever (6 of 40 kills under full
// load). With a lane, only the dead peer's own queue jams. The door stays open beside the lane: its
// socket tells a peer's death at once.
//
// UCX keeps pointers into a peer, so it never moves.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "base/time.h"
#include "kvtransfer/transport.h"
#include "kvtransfer/ucx_endpoint.h"
#include "kvtransfer/ucx_receiver.h"
#include "kvtransfer/ucx_window.h"

namespace baton {

inline constexpr Duration kWelcomeTimeMax = Milliseconds(5000);  // a knock is answered, or lost
inline constexpr Duration kGoodbyeTimeMax = Milliseconds(100);   // a full queue delays it so long

struct UcxPeer {
  enum class State { kOpen, kLost, kClosed };

  PeerId id{};
  StreamId stream{};
  State state = State::kOpen;
  absl::Status reason;                  // of kLost
  std::uint64_t frames_posted = 0;      // in this stream
  std::uint64_t messages_posted = 0;    // likewise
  std::uint64_t sends_open = 0;         // frames and messages that have not reported
  bool ready = false;                   // the route is known
  Instant welcome_until{};              // of a peer that is not ready
  std::vector<std::uint32_t> waiting;   // UcxSender's slots: for the route, or for room in it
  std::uint64_t segments_posted = 0;    // into the lane
  std::uint64_t segments_credited = 0;  // of them consumed by the peer

  UcxEndpoint door;
  UcxNote knock;
  UcxInlet inlet;
  std::unique_ptr<UcxWorker> lane;  // null over TCP
  UcxEndpoint data;                 // on the lane
  UcxNote goodbye;
  bool ending = false;
  Instant goodbye_until{};

  const UcxEndpoint& route() const { return lane == nullptr ? door : data; }

  /// Whether `segments` more may be posted now.
  bool HasRoom(std::uint64_t segments) const {
    return ready &&
           (lane == nullptr || segments_posted + segments - segments_credited <= kWindowSegments);
  }

  /// The peer has consumed so many of our segments, all in all. Nonsense is ignored.
  void OnCredit(std::uint64_t segments);

  /// Opens the door over `worker`; then the route is ready.
  absl::Status OpenDoor(UcxWorker& worker, absl::string_view ucx_address);

  /// Takes `own_lane` and knocks: the route is ready once the peer has answered.
  void Knock(std::unique_ptr<UcxWorker> own_lane, absl::string_view own_address, Instant now);

  /// The peer's answer: the address of the lane's other end.
  void OnWelcome(absl::string_view ucx_address);

  /// Nothing more is posted. The first reason stays.
  void MarkLost(const absl::Status& why);

  /// Looks for deaths and deadlines. Between progress calls.
  void Check(Instant now);

  /// For a peer that has ended: takes its endpoints down. True when UCX holds no pointer to it any
  /// more and every send has reported; until then call again.
  bool TakeDown(Instant now);
};

}  // namespace baton
