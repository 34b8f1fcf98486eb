// The transfer network of a simulation: transports that keep every promise of
// kvtransfer/transport.h and break whatever it does not promise. Frames of a lost or closed
// endpoint may still land seconds later; a restarted process takes over its old address; bytes are
// read from the source when they leave, somewhere between the post and its report.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kvtransfer/transport.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/session_watch.h"
#include "tests/sim/sim_faults.h"
#include "tests/sim/sim_random.h"

namespace baton {

/// What the wire does, drawn for each seed.
struct WireFaults {
  Duration delay_min = std::chrono::microseconds(20);
  Duration delay_max = std::chrono::microseconds(400);
  double outlier = 0;            // of deliveries: up to 3 s late, and all behind them
  double lose_peer = 0;          // of posts: the endpoint is lost
  double repeat = 0;             // of frames and messages: come twice
  double corrupt = 0;            // of frames: a byte flips on the way
  double misaddress = 0;         // of posts: frames change places, or one names another page
  bool bytes_may_break = false;  // a hand-off may end as corrupt
  double post_fails = 0;         // of posts
  double write_fails = 0;        // of writes, though their frames arrive
};

class SimTransport;

/// Tells the simulation where payloads land and from where they are read, so that it can hold each
/// against who owns the page.
struct WireWatch {
  std::function<void(const FrameHeader& header, const std::byte* place, bool whole)> landing;
  std::function<void(const FrameHeader& header, const std::byte* source)> reading;
  std::function<bool()> engine_stands;           // for longer than a lease may be renewed
  std::function<void(const char* what)> broken;  // a rule of the protocol, by this end
};

/// A frame between its post and its landing.
struct SimFlight {
  FrameHeader header;
  const std::byte* source = nullptr;  // null: the bytes have left
  std::vector<std::byte> payload{};
  std::byte* put = nullptr;  // where a one-sided put goes, asked for when it was posted
  std::size_t put_life = 0;  // whose memory that is
};

class SimNetwork {
 public:
  /// `puts`: frames become one-sided puts. A place is looked up when a frame is posted, and what
  /// lands there later asks nobody. Wrong on purpose: it shows what the lease table is for.
  SimNetwork(EventQueue& events, SimRandom& random, FaultBook& book, bool puts)
      : puts_(puts), events_(events), random_(random), book_(book) {}

  EventQueue& events() { return events_; }
  SimRandom& random() { return random_; }
  FaultBook& book() { return book_; }
  bool puts() const { return puts_; }
  WireFaults& faults() { return faults_; }
  SessionWatch& sessions() { return sessions_; }
  /// The lease that a frame last named on its way to `target`: for frames that take another's name.
  LeaseId& last_lease_to(const std::string& target) { return last_leases_[target]; }
  void SetFrameBytesBest(std::size_t bytes) { frame_bytes_best_ = bytes; }
  std::size_t frame_bytes_best() const { return frame_bytes_best_; }
  void Heal() { faults_ = {.bytes_may_break = faults_.bytes_may_break}; }

  std::uint64_t Launch(SimFlight flight) {
    flights_[++last_flight_] = std::move(flight);
    return last_flight_;
  }
  /// Null when it was dropped.
  SimFlight* Flight(std::uint64_t id) {
    const auto found = flights_.find(id);
    return found == flights_.end() ? nullptr : &found->second;
  }
  void Drop(std::uint64_t id) { flights_.erase(id); }

  void Attach(const std::string& address, SimTransport* transport) { ends_[address] = transport; }
  void Detach(const std::string& address) { ends_.erase(address); }
  SimTransport* Find(const std::string& address) const {
    const auto found = ends_.find(address);
    return found == ends_.end() ? nullptr : found->second;
  }

  /// Cuts the way between two addresses, in one direction, until `until`: what is posted waits,
  /// then the endpoint is lost.
  void Cut(const std::string& from, const std::string& to, Instant until) {
    cuts_[{from, to}] = until;
  }
  Instant CutUntil(const std::string& from, const std::string& to) const {
    const auto found = cuts_.find({from, to});
    return found == cuts_.end() ? Instant{} : found->second;
  }

 private:
  const bool puts_;
  EventQueue& events_;
  SimRandom& random_;
  FaultBook& book_;
  WireFaults faults_;
  SessionWatch sessions_;
  std::size_t frame_bytes_best_ = kFrameBytesOneSegment;
  std::map<std::string, LeaseId> last_leases_;
  std::map<std::string, SimTransport*> ends_;
  std::map<std::pair<std::string, std::string>, Instant> cuts_;
  std::map<std::uint64_t, SimFlight> flights_;
  std::uint64_t last_flight_ = 0;
};

class SimTransport : public Transport {
 public:
  /// `wake` is called when Poll would find something.
  SimTransport(SimNetwork& network, std::string address, std::function<void()> wake,
               WireWatch watch);
  ~SimTransport() override;

  void SetSink(FrameSink* sink) override { sink_ = sink; }
  std::string address() const override { return address_; }
  absl::StatusOr<PeerId> Connect(absl::string_view address) override;
  void Close(PeerId peer) override;
  absl::Status Write(PeerId peer, std::span<const FrameWrite> frames, std::uint64_t tag) override;
  absl::Status Send(PeerId peer, absl::string_view payload) override;
  void Poll(std::vector<TransportEvent>& events) override;
  int wake_fd() const override { return -1; }
  bool ArmWakeup() override { return inbox_.empty() && events_.empty(); }
  PeerDescription Describe(PeerId) const override {
    return {"validated", "sim", network_.frame_bytes_best()};
  }

  /// The peer dies at the other end: seen after a while.
  void LosePeersTo(const std::string& address);

 private:
  struct Endpoint {
    std::string target;
    bool open = true;
    Instant last_arrival{};
    std::size_t flow = 0;  // what is under way dies with it; else it lands late
    std::map<std::uint64_t, std::vector<std::uint64_t>> writes;  // flights of open tags
  };
  struct Frame {
    FrameHeader header;
    std::vector<std::byte> payload;
    std::byte* put = nullptr;
    std::size_t put_life = 0;
  };
  struct Message {
    std::string payload;
  };
  using Item = std::variant<Frame, Message>;

  Endpoint& At(PeerId peer) { return endpoints_.at(static_cast<std::size_t>(peer)); }
  absl::Status CheckOpen(PeerId peer);
  Instant ArrivalOf(Endpoint& endpoint);
  /// Posts `item` on its way; it may come twice.
  void Ship(Endpoint& endpoint, std::function<Item()> item);
  void Deliver(Item item);
  bool Strikes(Fault fault, double p) {
    return network_.book().Strikes(fault, network_.random(), p);
  }
  void Lose(PeerId peer, const char* why);
  void MaybeDropFlow(const Endpoint& endpoint);
  void Misaddress(const Endpoint& endpoint, std::vector<SimFlight>& flights);
  void CheckSent(const Endpoint& endpoint, absl::string_view payload);
  bool MayRenew(const std::vector<LeaseId>& leases) const;
  void Leave(SimFlight& flight);
  void EndWrites(Endpoint& endpoint, const absl::Status& status);
  void Report(TransportEvent event);
  void Land(const Frame& frame);
  void AimPut(const Endpoint& endpoint, SimFlight& flight) const;

  SimNetwork& network_;
  const std::string address_;
  const std::function<void()> wake_;
  const WireWatch watch_;
  const std::size_t life_;
  FrameSink* sink_ = nullptr;
  std::deque<Endpoint> endpoints_;
  std::map<LeaseId, SessionId> granted_;  // by this end
  std::set<LeaseId> committing_;          // this end has said Commit
  std::deque<Item> inbox_;
  std::vector<TransportEvent> events_;
};

}  // namespace baton
