#include "tests/sim/sim_network.h"

#include <algorithm>

#include "base/check.h"
#include "kvtransfer/copy_crc.h"
#include "kvtransfer/handoff_wire.h"

namespace baton {
namespace {

constexpr int kFramesAPoll = 64;
constexpr Duration kOutlierMax = std::chrono::seconds(3);

}  // namespace

SimTransport::SimTransport(SimNetwork& network, std::string address, std::function<void()> wake,
                           WireWatch watch)
    : network_(network),
      address_(std::move(address)),
      wake_(std::move(wake)),
      watch_(std::move(watch)),
      life_(network.events().lives().Birth()) {
  network_.Attach(address_, this);
}

SimTransport::~SimTransport() {
  for (Endpoint& endpoint : endpoints_) {
    // A crashed sender's memory stays mapped in the simulation, as a kernel's buffers would hold
    // it.
    for (const auto& [tag, flights] : endpoint.writes) {
      for (const std::uint64_t id : flights) {
        if (SimFlight* flight = network_.Flight(id)) Leave(*flight);
      }
    }
    MaybeDropFlow(endpoint);
  }
  network_.Detach(address_);
  network_.events().lives().Death(life_);
}

absl::StatusOr<PeerId> SimTransport::Connect(absl::string_view address) {
  endpoints_.push_back({std::string(address), true, {}, network_.events().lives().Birth(), {}});
  const PeerId peer{static_cast<std::uint32_t>(endpoints_.size() - 1)};
  if (network_.Find(endpoints_.back().target) == nullptr) {
    network_.events().AfterIfAlive(life_, Milliseconds(1),
                                   [this, peer] { Lose(peer, "nobody there"); });
  }
  return peer;
}

void SimTransport::Close(PeerId peer) {
  Endpoint& endpoint = At(peer);
  if (!endpoint.open) return;
  endpoint.open = false;
  EndWrites(endpoint, absl::CancelledError("closed"));
}

/// Whatever has not left leaves now: after the report nobody reads the sources.
void SimTransport::EndWrites(Endpoint& endpoint, const absl::Status& status) {
  for (const auto& [tag, flights] : endpoint.writes) {
    for (const std::uint64_t id : flights) {
      if (SimFlight* flight = network_.Flight(id)) Leave(*flight);
    }
    Report(WriteDone{tag, status});
  }
  endpoint.writes.clear();
}

void SimTransport::Leave(SimFlight& flight) {
  if (flight.source == nullptr) return;
  watch_.reading(flight.header, flight.source);
  flight.payload.assign(flight.source, flight.source + flight.header.bytes);
  flight.source = nullptr;
}

/// Headers that are wrong though every payload is whole: the lease, its bits and the digest must
/// notice.
void SimTransport::Misaddress(const Endpoint& endpoint, std::vector<SimFlight>& flights) {
  const LeaseId other =
      std::exchange(network_.last_lease_to(endpoint.target), flights[0].header.lease);
  if (!Strikes(Fault::kMisaddress, network_.faults().misaddress)) return;
  if (network_.random().Chance(0.3) && Index(other) != 0) {
    flights[0].header.lease = other;  // perhaps of another session
    return;
  }
  if (flights.size() > 1 && network_.random().Chance(0.6)) {
    FrameHeader& swapped = flights[1 + network_.random().Below(flights.size() - 1)].header;
    std::swap(flights[0].header.page, swapped.page);
    std::swap(flights[0].header.piece, swapped.piece);
  } else {
    flights[0].header.page ^= 1;
  }
}

absl::Status SimTransport::CheckOpen(PeerId peer) {
  if (!At(peer).open) return absl::UnavailableError("peer lost or closed");
  if (Strikes(Fault::kPostFails, network_.faults().post_fails)) {
    return absl::UnavailableError("post failed");
  }
  if (Strikes(Fault::kPeerLost, network_.faults().lose_peer)) {
    network_.events().AfterIfAlive(life_, Milliseconds(1),
                                   [this, peer] { Lose(peer, "connection reset"); });
  }
  return absl::OkStatus();
}

Instant SimTransport::ArrivalOf(Endpoint& endpoint) {
  const WireFaults& faults = network_.faults();
  SimRandom& random = network_.random();
  Duration delay = random.DurationBetween(faults.delay_min, faults.delay_max);
  if (Strikes(Fault::kLateDelivery, faults.outlier)) {
    delay += random.DurationBetween(Duration::zero(), kOutlierMax);
  }
  const Instant healed = network_.CutUntil(address_, endpoint.target);
  endpoint.last_arrival =
      std::max({endpoint.last_arrival, network_.events().now() + delay, healed + delay});
  return endpoint.last_arrival;
}

absl::Status SimTransport::Write(PeerId peer, std::span<const FrameWrite> frames,
                                 std::uint64_t tag) {
  if (frames.empty()) return absl::InvalidArgumentError("no frames");
  if (absl::Status open = CheckOpen(peer); !open.ok()) return open;
  Endpoint& endpoint = At(peer);
  std::vector<SimFlight> flights;
  for (const FrameWrite& frame : frames) flights.push_back({frame.header, frame.source});
  Misaddress(endpoint, flights);
  std::vector<std::uint64_t>& open = endpoint.writes[tag];
  for (SimFlight& flight : flights) {
    if (network_.puts()) AimPut(endpoint, flight);
    open.push_back(network_.Launch(std::move(flight)));
    Ship(endpoint, [this, &network = network_, id = open.back()]() -> Item {
      SimFlight& arrived = *network.Flight(id);
      if (arrived.source != nullptr) Leave(arrived);  // so this end is still there
      Frame frame{arrived.header, std::move(arrived.payload), arrived.put, arrived.put_life};
      network.Drop(id);
      const double corrupt = network.faults().corrupt;
      if (network.book().Strikes(Fault::kBitFlip, network.random(), corrupt)) {
        frame.payload[0] ^= std::byte{1};
      }
      return frame;
    });
  }
  Instant done = endpoint.last_arrival;  // or sooner: when the last byte has left
  if (network_.random().Chance(0.5)) {
    done -= network_.random().DurationBetween({}, done - network_.events().now());
  }
  network_.events().AtIfAlive(life_, done, [this, peer, tag] {
    const auto write = At(peer).writes.find(tag);
    if (write == At(peer).writes.end()) return;
    for (const std::uint64_t id : write->second) {
      if (SimFlight* flight = network_.Flight(id)) Leave(*flight);
    }
    At(peer).writes.erase(write);
    const bool fails = Strikes(Fault::kWriteFails, network_.faults().write_fails);
    Report(WriteDone{tag, fails ? absl::UnavailableError("flush failed") : absl::OkStatus()});
  });
  return absl::OkStatus();
}

absl::Status SimTransport::Send(PeerId peer, absl::string_view payload) {
  if (payload.empty() || payload.size() > kMessageBytesMax)
    return absl::InvalidArgumentError("size");
  if (absl::Status open = CheckOpen(peer); !open.ok()) return open;
  CheckSent(At(peer), payload);
  Ship(At(peer), [message = Message{std::string(payload)}]() -> Item { return message; });
  return absl::OkStatus();
}

/// What this end must not say.
void SimTransport::CheckSent(const Endpoint& endpoint, absl::string_view payload) {
  if (!network_.sessions().OnSent(payload))
    watch_.broken("accepts a session meant for another life");
  const auto decoded = DecodeMessage(payload);
  if (!decoded.ok()) return;
  if (const auto* grant = std::get_if<GrantMessage>(&decoded->message)) {
    granted_[grant->lease] = decoded->header.session;
  } else if (const auto* commit = std::get_if<CommitMessage>(&decoded->message)) {
    committing_.insert(commit->lease);
  } else if (const auto* renew = std::get_if<RenewMessage>(&decoded->message)) {
    if (!MayRenew(renew->leases)) watch_.broken("renews leases for an engine that stands");
  } else if (const auto* ack = std::get_if<AbortAckMessage>(&decoded->message)) {
    for (const auto& [tag, flights] : endpoint.writes) {
      for (const std::uint64_t id : flights) {
        const SimFlight* flight = network_.Flight(id);
        if (flight != nullptr && flight->header.lease == ack->lease)
          watch_.broken("says that a lease is drained while its writes are open");
      }
    }
  }
}

bool SimTransport::MayRenew(const std::vector<LeaseId>& leases) const {
  for (const LeaseId lease : leases) {
    if (committing_.count(lease) == 0) return !watch_.engine_stands();
  }
  return true;  // what is computed needs no engine any more
}

void SimTransport::Ship(Endpoint& endpoint, std::function<Item()> item) {
  const bool repeated = Strikes(Fault::kRepeat, network_.faults().repeat);
  network_.events().AtIfAlive(
      endpoint.flow, ArrivalOf(endpoint),
      [&network = network_, target = endpoint.target, item = std::move(item), repeated] {
        Item arrived = item();
        SimTransport* end = network.Find(target);
        if (end == nullptr) return;
        if (repeated) end->Deliver(arrived);
        end->Deliver(std::move(arrived));
      });
}

void SimTransport::Deliver(Item item) {
  inbox_.push_back(std::move(item));
  wake_();
}

void SimTransport::Lose(PeerId peer, const char* why) {
  Endpoint& endpoint = At(peer);
  if (!endpoint.open) return;
  endpoint.open = false;
  EndWrites(endpoint, absl::UnavailableError(why));
  MaybeDropFlow(endpoint);
  Report(PeerLost{peer, absl::UnavailableError(why)});
}

void SimTransport::MaybeDropFlow(const Endpoint& endpoint) {
  if (network_.random().Chance(0.5)) network_.events().lives().Death(endpoint.flow);
}

void SimTransport::LosePeersTo(const std::string& address) {
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    if (endpoints_[i].target == address) Lose(PeerId{static_cast<std::uint32_t>(i)}, "peer died");
  }
}

void SimTransport::Report(TransportEvent event) {
  events_.push_back(std::move(event));
  wake_();
}

void SimTransport::Poll(std::vector<TransportEvent>& events) {
  for (TransportEvent& event : events_) events.push_back(std::move(event));
  events_.clear();
  for (int frames = 0; !inbox_.empty() && frames < kFramesAPoll;) {
    Item item = std::move(inbox_.front());
    inbox_.pop_front();
    if (const auto* frame = std::get_if<Frame>(&item)) {
      Land(*frame);
      ++frames;
    } else {
      events.push_back(MessageReceived{std::move(std::get<Message>(item).payload)});
    }
  }
  if (!inbox_.empty()) wake_();
}

void SimTransport::Land(const Frame& frame) {
  if (network_.puts()) {
    if (frame.put == nullptr || frame.put_life != life_) return;  // memory of an earlier life
    std::copy(frame.payload.begin(), frame.payload.end(), frame.put);
    return watch_.landing(frame.header, frame.put, true);
  }
  if (sink_ == nullptr) return;
  std::byte* place = sink_->Admit(frame.header);
  if (place == nullptr) return;
  const std::uint32_t crc = CopyAndCrc32c(place, frame.payload.data(), frame.payload.size());
  const bool whole = crc == frame.header.crc32c;
  watch_.landing(frame.header, place, whole);
  if (granted_[frame.header.lease] != frame.header.session) {
    watch_.broken("takes a frame of another session");
  }
  sink_->Landed(frame.header, whole);
}

/// As a sender with a remote key would know it: where the page stood when the Grant came.
void SimTransport::AimPut(const Endpoint& endpoint, SimFlight& flight) const {
  SimTransport* end = network_.Find(endpoint.target);
  if (end == nullptr || end->sink_ == nullptr) return;
  flight.put = end->sink_->Admit(flight.header);
  flight.put_life = end->life_;
  if (flight.put != nullptr) end->sink_->Landed(flight.header, true);
}

}  // namespace baton
