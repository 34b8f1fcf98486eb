#include "tests/bench/overlap_bench.h"

#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "base/status.h"
#include "tests/bench/overlap_report.h"

namespace baton::bench {
namespace {

struct OverlapOptions {
  OverlapShape shape;
  bool json = false;
};

bool ReadOptions(int argc, char** argv, OverlapOptions* options) {
  OverlapShape& shape = options->shape;
  const std::map<std::string, int*> numbers = {
      {"--tokens", &shape.tokens},     {"--chunks", &shape.chunks}, {"--layers", &shape.layers},
      {"--layer-us", &shape.layer_us}, {"--group", &shape.group},   {"--rounds", &shape.rounds}};
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto number = numbers.find(name);
    if (name == "--json") {
      options->json = true;
    } else if (number != numbers.end() && i + 1 < argc &&
               absl::SimpleAtoi(argv[i + 1], number->second) && *number->second >= 1 &&
               *number->second <= 1 << 20) {
      ++i;
    } else {
      std::fprintf(stderr, "overlap bench: %s: unknown, or without a value in range\n", argv[i]);
      return false;
    }
  }
  if (shape.Pages() >= static_cast<std::uint32_t>(shape.chunks)) return true;
  std::fprintf(stderr, "overlap bench: --chunks: more than the prompt has pages\n");
  return false;
}

/// One wire, with overlap and without: a receiving process and a sender for each.
class Contest {
 public:
  Contest(const std::string& wire, const OverlapShape& shape)
      : with_peer_(ForkReceiver(wire, shape.Receiver())),
        without_peer_(ForkReceiver(wire, shape.Receiver())) {
    figures_.wire = wire;
  }

  absl::Status Open(const KvArena& pages, const OverlapShape& shape) {
    with_ = std::make_unique<PacedSender>(pages, shape, /*overlap=*/true);
    without_ = std::make_unique<PacedSender>(pages, shape, /*overlap=*/false);
    BATON_RETURN_IF_ERROR(with_->Open(figures_.wire, *with_peer_));
    return without_->Open(figures_.wire, *without_peer_);
  }

  absl::Status Round() {
    BATON_ASSIGN_OR_RETURN(const OutboundEnded with, with_->Run());
    BATON_ASSIGN_OR_RETURN(const OutboundEnded without, without_->Run());
    if (with.bytes != without.bytes) return absl::DataLossError("not the same bytes both ways");
    figures_.exposed.push_back(ToMilliseconds(with.times.exposed));
    figures_.exposed_without.push_back(ToMilliseconds(without.times.exposed));
    return absl::OkStatus();
  }

  absl::Status Close() {
    BATON_RETURN_IF_ERROR(CheckReceived(*with_peer_));
    return CheckReceived(*without_peer_);
  }

  const OverlapFigures& figures() const { return figures_; }

 private:
  std::unique_ptr<ForkedPeer> with_peer_;
  std::unique_ptr<ForkedPeer> without_peer_;
  std::unique_ptr<PacedSender> with_;
  std::unique_ptr<PacedSender> without_;
  OverlapFigures figures_;
};

absl::Status RunWires(const OverlapShape& shape, OverlapRun& run) {
  std::array<Contest, 2> contests = {Contest("shm", shape), Contest("tcp", shape)};
  StayOnProcessor(0);
  BATON_ASSIGN_OR_RETURN(const std::unique_ptr<KvArena> pages,
                         KvArena::Create(shape.Layout(), shape.Pages()));
  FillPages(*pages);
  for (Contest& contest : contests) BATON_RETURN_IF_ERROR(contest.Open(*pages, shape));
  for (int round = 0; round < shape.rounds; ++round) {
    for (Contest& contest : contests) BATON_RETURN_IF_ERROR(contest.Round());
  }
  for (Contest& contest : contests) {
    BATON_RETURN_IF_ERROR(contest.Close());
    run.wires.push_back(contest.figures());
  }
  return absl::OkStatus();
}

}  // namespace

int OverlapBench(int argc, char** argv) {
  OverlapOptions options;
  if (!ReadOptions(argc, argv, &options)) return 2;
  OverlapRun run;
  run.shape = options.shape;
  run.before = Calibrate();
  const absl::Status status = RunWires(options.shape, run);
  if (!status.ok()) {
    std::fprintf(stderr, "overlap bench: %s\n", status.ToString().c_str());
    return 2;
  }
  run.after = Calibrate();
  if (options.json) {
    PrintOverlapJson(run);
  } else {
    PrintOverlapTable(run);
  }
  if (run.void_run()) return 3;
  return run.met() ? 0 : 1;
}

}  // namespace baton::bench
