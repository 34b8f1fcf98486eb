// What breaks: drawn for each seed, in kind, rate and time.
#include <algorithm>
#include <array>

#include "tests/sim/sim_cluster.h"

namespace baton {
namespace {

constexpr Duration kFirstBlow = Milliseconds(150);
constexpr Duration kLastBlow = Milliseconds(5900);
constexpr Duration kSeenWithin = Milliseconds(2100);  // of a broken stream: keepalive

/// As often as it stands here.
constexpr std::array kBlows = {
    Fault::kWorkerCrash, Fault::kWorkerCrash, Fault::kWorkerCrash, Fault::kDrain,
    Fault::kDeviceLost,  Fault::kDeviceHangs, Fault::kDeviceSlow,  Fault::kPause,
    Fault::kPause,       Fault::kLinkBreak,   Fault::kLinkBreak,   Fault::kSwizzle,
    Fault::kCutOneWay,   Fault::kCutOneWay,   Fault::kCutBothWays, Fault::kRouterCrash,
};

}  // namespace

void SimCluster::PlanChaos() {
  chaos_ = true;
  DrawRates();
  const int blows = random_.Between(1, kBlowsMax);
  const Duration last = std::min<Duration>(kLastBlow, kFirstBlow + 2 * scene_.arrivals);
  for (int i = 0; i < blows; ++i) {
    const Duration at = random_.DurationBetween(kFirstBlow, last);
    if ((options_.blows >> i & 1) != 0) events_.After(at, [this] { Chaos(); });
  }
}

void SimCluster::DrawRates() {
  WireFaults& wire = network_.faults();
  const auto rate = [this](double highest) {
    return random_.Chance(0.5) ? highest * static_cast<double>(random_.Below(1000)) / 1000 : 0.0;
  };
  link_stall_ = rate(0.02);
  events_lost_ = rate(0.3);
  events_repeated_ = rate(0.5);
  events_swapped_ = rate(0.3);
  wire.outlier = rate(0.01);
  wire.lose_peer = rate(0.01);
  wire.repeat = rate(0.1);
  wire.corrupt = rate(0.005);
  wire.misaddress = rate(0.03);
  wire.post_fails = rate(0.005);
  wire.write_fails = rate(0.01);
  wire.bytes_may_break = wire.corrupt > 0 || wire.misaddress > 0;
  if (random_.Chance(0.3)) wire.delay_max = Milliseconds(10);
}

void SimCluster::Chaos() {
  ++report_.blows;
  const int worker = static_cast<int>(random_.Below(workers_.size()));
  const int router = static_cast<int>(random_.Below(routers_.size()));
  const Fault fault = kBlows[random_.Below(kBlows.size())];
  if (!book_.Allows(fault)) return;
  switch (fault) {
    case Fault::kWorkerCrash:
      return CrashWorker(worker);
    case Fault::kDrain:
    case Fault::kDeviceLost:
      return EndWorker(worker, fault);
    case Fault::kDeviceHangs:
    case Fault::kDeviceSlow:
      return TroubleDevice(worker, fault);
    case Fault::kPause:
      return PauseWorker(worker);
    case Fault::kLinkBreak:
      return BreakOneLink(router, worker);
    case Fault::kSwizzle:
      return BreakAllLinks(worker);
    case Fault::kCutOneWay:
    case Fault::kCutBothWays:
      return CutWire(fault);
    default:
      return CrashRouter(router);
  }
}

void SimCluster::BreakOneLink(int router, int worker) {
  Fell(Fault::kLinkBreak, worker);
  BreakLinksOf(router, worker, random_.DurationBetween(Duration::zero(), kSeenWithin),
               random_.DurationBetween(Duration::zero(), kSeenWithin));
}

/// One after the other and in any order, as a failing switch would.
void SimCluster::BreakAllLinks(int worker) {
  Fell(Fault::kSwizzle, worker);
  for (int router = 0; router < options_.routers; ++router) {
    const Duration at = random_.DurationBetween(Duration::zero(), Milliseconds(3000));
    events_.After(at, [this, router, worker] {
      BreakLinksOf(router, worker, random_.DurationBetween(Duration::zero(), kSeenWithin),
                   random_.DurationBetween(Duration::zero(), kSeenWithin));
    });
  }
}

/// Between a prefill and a decode worker, where pages travel; often past the end of a lease.
void SimCluster::CutWire(Fault fault) {
  const auto prefill = static_cast<std::uint64_t>(options_.prefill);
  const std::string& from = workers_[random_.Below(prefill)]->name;
  const std::string& to = workers_[prefill + random_.Below(workers_.size() - prefill)]->name;
  const Instant until =
      events_.now() + random_.DurationBetween(Milliseconds(10), Milliseconds(12'000));
  const bool forth = random_.Chance(0.75);
  Fell(fault, 0);
  if (forth || fault == Fault::kCutBothWays) network_.Cut(from, to, until);
  if (!forth || fault == Fault::kCutBothWays) network_.Cut(to, from, until);
}

void SimCluster::Fell(Fault fault, int where) {
  book_.Count(fault);
  events_.Trace(NameOf(fault), static_cast<std::uint64_t>(where));
}

}  // namespace baton
