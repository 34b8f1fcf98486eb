// What breaks: drawn for each seed, in kind, rate and time.
#include <algorithm>

#include "tests/sim/sim_cluster.h"

namespace baton {
namespace {

constexpr Duration kFirstBlow = Milliseconds(150);
constexpr Duration kLastBlow = Milliseconds(5900);

}  // namespace

void SimCluster::PlanChaos() {
  chaos_ = true;
  WireFaults& wire = network_.faults();
  const auto rate = [this](double highest) {
    return random_.Chance(0.5) ? highest * static_cast<double>(random_.Below(1000)) / 1000 : 0.0;
  };
  link_stall_ = rate(0.02);
  wire.outlier = rate(0.01);
  wire.lose_peer = rate(0.01);
  wire.corrupt = rate(0.005);
  wire.misaddress = rate(0.03);
  wire.post_fails = rate(0.005);
  wire.bytes_may_break = wire.corrupt > 0 || wire.misaddress > 0;
  if (random_.Chance(0.3)) wire.delay_max = Milliseconds(10);
  const int blows = random_.Between(1, 10);
  const Duration last = std::min<Duration>(kLastBlow, kFirstBlow + 2 * scene_.arrivals);
  for (int i = 0; i < blows; ++i) {
    events_.After(random_.DurationBetween(kFirstBlow, last), [this] { Chaos(); });
  }
}

void SimCluster::Chaos() {
  ++report_.faults;
  const int worker = static_cast<int>(random_.Below(workers_.size()));
  const int router = static_cast<int>(random_.Below(routers_.size()));
  switch (random_.Below(12)) {
    case 0:
    case 1:
    case 2:
      return CrashWorker(worker);
    case 10:
    case 11:
      return EndWorker(worker);
    case 3:
    case 4:
      return PauseWorker(worker);
    case 5:
    case 6:
      events_.Trace("break", static_cast<std::uint64_t>(worker),
                    static_cast<std::uint64_t>(router));
      return BreakLinksOf(router, worker,
                          random_.DurationBetween(Duration::zero(), Milliseconds(2100)),
                          random_.DurationBetween(Duration::zero(), Milliseconds(2100)));
    case 7:
    case 8: {
      // Between a prefill and a decode worker, where pages travel; often past the end of a lease.
      const auto prefill = static_cast<std::uint64_t>(options_.prefill);
      const std::string& from = workers_[random_.Below(prefill)]->name;
      const std::string& to = workers_[prefill + random_.Below(workers_.size() - prefill)]->name;
      const Duration cut = random_.DurationBetween(Milliseconds(10), Milliseconds(12'000));
      if (random_.Chance(0.75)) return network_.Cut(from, to, events_.now() + cut);
      return network_.Cut(to, from, events_.now() + cut);
    }
    case 9:
    default:
      return CrashRouter(router);
  }
}

}  // namespace baton
