// Everything that may break in a simulated run, by name: which kinds a run allows (a shrinker takes
// kinds away), and how often each has struck.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/sim/sim_random.h"

namespace baton {

enum class Fault : std::uint8_t {
  // processes
  kWorkerCrash,  // and comes back, empty, with a new incarnation
  kRouterCrash,
  kPause,        // SIGSTOP, up to 10 s
  kDrain,        // and leaves
  kDeviceLost,   // no step is computed any more, and the worker hears an error
  kDeviceHangs,  // no step ends for a while, and nobody hears anything
  kDeviceSlow,   // steps take ten times longer
  kJoin,         // a worker that comes later than the others
  kClock,        // of a node: off by up to a minute, and up to 200 ppm too fast or too slow
  // streams between routers and workers
  kLinkBreak,
  kSwizzle,     // every stream of one worker breaks, in drawn order
  kLinkStall,   // a message is late, and all behind it
  kEventsLost,  // a message of cache events
  kEventsRepeated,
  kEventsSwapped,  // with the one behind it
  // the wire between workers
  kCutOneWay,
  kCutBothWays,
  kLateDelivery,
  kPeerLost,
  kPostFails,
  kWriteFails,  // reported so, though the wire holds
  kRepeat,      // a frame or message comes twice
  kBitFlip,     // in a payload
  kMisaddress,  // payload whole, header wrong
  // clients
  kClientCancels,
  kClientHurries,  // its time is up before an answer can be whole
  kQueueFull,      // at a router
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::kQueueFull) + 1;

inline constexpr std::array<const char*, kFaults> kFaultNames = {
    "worker_crash",   "router_crash",  "pause",         "drain",           "device_lost",
    "device_hangs",   "device_slow",   "join",          "clock",           "link_break",
    "swizzle",        "link_stall",    "events_lost",   "events_repeated", "events_swapped",
    "cut_one_way",    "cut_both_ways", "late_delivery", "peer_lost",       "post_fails",
    "write_fails",    "repeat",        "bit_flip",      "misaddress",      "client_cancels",
    "client_hurries", "queue_full"};

inline const char* NameOf(Fault fault) { return kFaultNames[static_cast<std::size_t>(fault)]; }

class FaultBook {
 public:
  /// Kinds in `without` never strike. The draws are made all the same, so that what is left of a
  /// run stays as like itself as may be.
  explicit FaultBook(std::uint64_t without) : without_(without) {}

  bool Allows(Fault fault) const { return (without_ >> static_cast<unsigned>(fault) & 1) == 0; }

  /// Draws with chance `p`, and counts a hit.
  bool Strikes(Fault fault, SimRandom& random, double p) {
    const bool drawn = random.Chance(p);
    if (!drawn || !Allows(fault)) return false;
    Count(fault);
    return true;
  }
  void Count(Fault fault) { ++counts_[static_cast<std::size_t>(fault)]; }

  /// By name, the ones that never struck included.
  std::map<std::string, int> counts() const {
    std::map<std::string, int> counts;
    for (std::size_t i = 0; i < kFaults; ++i) counts[kFaultNames[i]] = counts_[i];
    return counts;
  }

 private:
  const std::uint64_t without_;
  std::array<int, kFaults> counts_{};
};

}  // namespace baton
