#include "kvtransfer/ucx_transport.h"

#include <map>
#include <random>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "kvtransfer/ucx_address.h"
#include "kvtransfer/ucx_lanes.h"
#include "kvtransfer/ucx_peer.h"
#include "kvtransfer/ucx_receiver.h"
#include "kvtransfer/ucx_sender.h"
#include "kvtransfer/ucx_worker.h"
#include "kvtransfer/ucx_worker_set.h"

namespace baton {
namespace {

constexpr std::uint64_t kFramesPerPollMax = 64;
constexpr auto kPollTimeMax = std::chrono::microseconds(200);
constexpr auto kShutdownTimeMax = std::chrono::seconds(1);

Instant Now() { return std::chrono::steady_clock::now(); }

StreamId RandomStream() {
  std::random_device random;
  std::uint64_t id = 0;
  while (id == 0) id = (std::uint64_t{random()} << 32) | random();
  return static_cast<StreamId>(id);
}

/// The door and the lanes, and the peers over them. Peers live in a map: UCX keeps pointers to
/// them until they are taken down.
class UcxTransport final : public Transport {
 public:
  explicit UcxTransport(const UcxOptions& options)
      : options_(options),
        receiver_(events_),
        sender_(options, events_),
        lanes_(options, receiver_, workers_) {}
  ~UcxTransport() override;

  absl::Status Open();

  void SetSink(FrameSink* sink) override { receiver_.SetSink(sink); }
  std::string address() const override;
  absl::StatusOr<PeerId> Connect(absl::string_view address) override;
  void Close(PeerId peer) override;
  absl::Status Write(PeerId peer, std::span<const FrameWrite> frames, std::uint64_t tag) override;
  absl::Status Send(PeerId peer, absl::string_view payload) override;
  void Poll(std::vector<TransportEvent>& events) override;
  int wake_fd() const override { return workers_.wake_fd(); }
  bool ArmWakeup() override;
  PeerDescription Describe(PeerId peer) const override;

 private:
  absl::Status OpenRoute(UcxPeer& peer, const UcxAddress& address);
  absl::StatusOr<UcxPeer*> OpenPeer(PeerId peer);
  void Progress();
  void TakeNotes();
  void OnWelcome(const UcxNoteReceived& note);
  void OnCredit(const UcxNoteReceived& note);
  void OnGoodbye(StreamId stream);
  UcxPeer* PeerOfStream(StreamId stream);
  void Settle(Instant now);

  const UcxOptions options_;
  std::vector<TransportEvent> events_;
  // UCX reports into the receiver and the sender until the workers are gone: so these come first.
  UcxReceiver receiver_;
  UcxSender sender_;
  UcxWorkerSet workers_;
  UcxInlet door_inlet_;
  std::unique_ptr<UcxWorker> door_;
  UcxLanes lanes_;
  std::map<PeerId, UcxPeer> peers_;
  std::uint32_t next_peer_ = 0;
  std::vector<UcxNoteReceived> notes_;  // of this round
  bool settling_ = false;               // a peer or a lane is on its way out
};

UcxTransport::~UcxTransport() {
  receiver_.SetSink(nullptr);
  for (auto& [id, peer] : peers_) Close(id);
  lanes_.SayGoodbye();
  const Instant end = Now() + kShutdownTimeMax;
  while ((!peers_.empty() || !lanes_.empty()) && Now() < end) {
    workers_.Progress([] { return true; });
    Settle(Now());
  }
}

absl::Status UcxTransport::Open() {
  BATON_RETURN_IF_ERROR(UcxWorker::Prepare(options_));
  UcxOptions door = options_;
  door.shm = !options_.tcp;
  BATON_ASSIGN_OR_RETURN(door_, UcxWorker::Open(door));
  BATON_RETURN_IF_ERROR(receiver_.Attach(*door_, door_inlet_));
  BATON_RETURN_IF_ERROR(workers_.Add(*door_));
  if (address().size() <= kTransportAddressBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "this worker's address is too long: name fewer devices in transfer.net_devices");
}

std::string UcxTransport::address() const {
  return UcxAddress{options_.shm, options_.tcp, ThisMachine(), door_->address()}.Encode();
}

absl::StatusOr<PeerId> UcxTransport::Connect(absl::string_view text) {
  UcxAddress address;
  BATON_ASSIGN_OR_RETURN(address, UcxAddress::Decode(text));
  if (peers_.size() >= static_cast<std::size_t>(options_.peers_max)) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("%u peers are connected: no more are served", peers_.size()));
  }
  const auto id = static_cast<PeerId>(next_peer_++);
  UcxPeer& peer = peers_[id];
  peer.id = id;
  peer.stream = RandomStream();
  const absl::Status opened = OpenRoute(peer, address);
  if (opened.ok()) return id;
  if (peer.door.get() == nullptr) {
    peers_.erase(id);
    return opened;
  }
  peer.MarkLost(opened);  // its door is open: it must be taken down in turn
  settling_ = true;
  return id;
}

/// Through shared memory where both ends offer it and run on one machine; else over TCP.
absl::Status UcxTransport::OpenRoute(UcxPeer& peer, const UcxAddress& address) {
  const bool lane = options_.shm && address.shm && address.machine == ThisMachine();
  if (!lane && !options_.tcp) {
    return absl::UnavailableError(
        "the peer shares no memory with this process, and tcp is not in transfer.transports");
  }
  if (options_.tcp != address.tcp) {
    return absl::UnavailableError(
        "one end offers tcp and the other does not: make transfer.transports agree");
  }
  BATON_RETURN_IF_ERROR(peer.OpenDoor(*door_, address.ucx));
  if (!lane) return absl::OkStatus();
  std::unique_ptr<UcxWorker> own;
  BATON_ASSIGN_OR_RETURN(own, OpenLaneWorker(options_, receiver_, peer.inlet));
  BATON_RETURN_IF_ERROR(workers_.Add(*own));
  const std::string own_address = LaneAddress(*own);
  peer.Knock(std::move(own), own_address, Now());
  return absl::OkStatus();
}

void UcxTransport::Close(PeerId id) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || found->second.state != UcxPeer::State::kOpen) return;
  found->second.state = UcxPeer::State::kClosed;
  settling_ = true;
}

absl::StatusOr<UcxPeer*> UcxTransport::OpenPeer(PeerId id) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || found->second.state != UcxPeer::State::kOpen) {
    return absl::UnavailableError(absl::StrFormat("peer %u is lost or closed", Index(id)));
  }
  return &found->second;
}

absl::Status UcxTransport::Write(PeerId id, std::span<const FrameWrite> frames, std::uint64_t tag) {
  UcxPeer* peer = nullptr;
  BATON_ASSIGN_OR_RETURN(peer, OpenPeer(id));
  return sender_.Write(*peer, frames, tag);
}

absl::Status UcxTransport::Send(PeerId id, absl::string_view payload) {
  UcxPeer* peer = nullptr;
  BATON_ASSIGN_OR_RETURN(peer, OpenPeer(id));
  return sender_.Send(*peer, payload);
}

void UcxTransport::Poll(std::vector<TransportEvent>& events) {
  Progress();
  TakeNotes();
  Settle(Now());
  for (TransportEvent& event : events_) events.push_back(std::move(event));
  events_.clear();
}

void UcxTransport::Progress() {
  const Instant end = Now() + kPollTimeMax;
  receiver_.BeginRound(kFramesPerPollMax);
  if (receiver_.RoundIsFull()) return;
  workers_.Progress([&] {
    lanes_.SendCredits();
    return receiver_.RoundIsFull() || Now() >= end;
  });
}

void UcxTransport::TakeNotes() {
  receiver_.TakeNotes(notes_);
  for (const UcxNoteReceived& note : notes_) {
    if (note.id == kWelcomeId) {
      OnWelcome(note);
    } else if (note.id == kCreditId) {
      OnCredit(note);
    } else if (note.id == kGoodbyeId) {
      OnGoodbye(note.stream);
    } else {
      const absl::Status opened = lanes_.OnKnock(note.stream, note.body);
      if (!opened.ok()) BATON_WARN("a lane in shared memory was refused: %s", opened.message());
    }
  }
}

UcxPeer* UcxTransport::PeerOfStream(StreamId stream) {
  for (auto& [id, peer] : peers_) {
    if (peer.stream == stream) return &peer;
  }
  return nullptr;
}

void UcxTransport::OnWelcome(const UcxNoteReceived& note) {
  const absl::StatusOr<UcxAddress> address = UcxAddress::Decode(note.body);
  UcxPeer* const peer = PeerOfStream(note.stream);
  if (!address.ok() || peer == nullptr) return;  // the knock's deadline ends the peer
  peer->OnWelcome(address->ucx);
  sender_.ReleaseWaiting(*peer);
}

void UcxTransport::OnCredit(const UcxNoteReceived& note) {
  UcxPeer* const peer = PeerOfStream(note.stream);
  if (peer == nullptr || note.body.size() != 8) return;
  peer->OnCredit(
      LoadLittleEndian<std::uint64_t>(reinterpret_cast<const std::byte*>(note.body.data())));
  sender_.ReleaseWaiting(*peer);
}

/// From the sending end of a lane of ours, or from the end that gave a lane to a peer of ours.
void UcxTransport::OnGoodbye(StreamId stream) {
  lanes_.OnGoodbye(stream);
  UcxPeer* const peer = PeerOfStream(stream);
  if (peer != nullptr) peer->MarkLost(absl::UnavailableError("the peer has closed"));
}

void UcxTransport::Settle(Instant now) {
  settling_ = !lanes_.Settle();
  for (auto at = peers_.begin(); at != peers_.end();) {
    UcxPeer& peer = at->second;
    peer.Check(now);
    if (peer.state == UcxPeer::State::kOpen) {
      ++at;
      continue;
    }
    sender_.ReleaseWaiting(peer);
    if (!peer.TakeDown(now)) {
      settling_ = true;
      ++at;
      continue;
    }
    if (peer.state == UcxPeer::State::kLost) events_.push_back(PeerLost{peer.id, peer.reason});
    if (peer.lane != nullptr) workers_.Remove(*peer.lane);
    at = peers_.erase(at);
  }
}

bool UcxTransport::ArmWakeup() {
  if (!events_.empty() || settling_ || receiver_.HasLeftOver()) return false;
  return workers_.Arm();
}

PeerDescription UcxTransport::Describe(PeerId id) const {
  PeerDescription out{"validated", "unknown"};
  const auto found = peers_.find(id);
  if (found == peers_.end()) return out;
  if (found->second.lane == nullptr) out.frame_bytes_best = kFrameBytesMax;
  if (found->second.state == UcxPeer::State::kOpen) out.wire = found->second.route().Wire();
  return out;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Transport>> MakeUcxTransport(const UcxOptions& options) {
  auto transport = std::make_unique<UcxTransport>(options);
  BATON_RETURN_IF_ERROR(transport->Open());
  return std::unique_ptr<Transport>(std::move(transport));
}

}  // namespace baton
