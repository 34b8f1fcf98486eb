#include "tests/bench/transfer_bench.h"

#include <array>
#include <cstdio>
#include <string>

#include "absl/strings/numbers.h"
#include "base/status.h"
#include "tests/bench/transfer_report.h"

namespace baton::bench {
namespace {

constexpr std::uint32_t kLayerBytes = 72 * 1024;  // of MLA in bf16, 64 tokens a page

struct TransferOptions {
  TransferShape shape;
  std::string plot;
  bool json = false;
};

bool ReadNumber(const char* text, long low, long high, long* out) {
  return text != nullptr && absl::SimpleAtoi(text, out) && *out >= low && *out <= high;
}

/// False, with a line on stderr, when the command line cannot be served.
bool ReadOptions(int argc, char** argv, TransferOptions* options) {
  TransferShape& shape = options->shape;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--json") {
      options->json = true;
      continue;
    }
    const char* const text = i + 1 < argc ? argv[++i] : nullptr;
    long value = 0;
    bool fine = false;
    if (name == "--rounds" && (fine = ReadNumber(text, 1, 1000, &value))) {
      shape.rounds = static_cast<int>(value);
    } else if (name == "--mib" && (fine = ReadNumber(text, 16, 4096, &value))) {
      shape.mib = static_cast<int>(value);
    } else if (name == "--frame" && (fine = ReadNumber(text, 64, 262'144, &value))) {
      shape.frame_bytes = static_cast<std::uint32_t>(value);
    } else if (name == "--page" && (fine = ReadNumber(text, kLayerBytes, 4 << 20, &value))) {
      shape.page_bytes = static_cast<std::uint32_t>(value) / kLayerBytes * kLayerBytes;
    } else if (name == "--plot" && text != nullptr) {
      options->plot = text;
      fine = true;
    }
    if (!fine) {
      std::fprintf(stderr, "transfer bench: %s: unknown, or without a value in range\n", argv[i]);
      return false;
    }
  }
  return true;
}

absl::StatusOr<TransferFigures> Measure(const TransferShape& shape) {
  TransferFigures figures;
  TransferContest contest(shape);
  std::array<SessionContest, 2> sessions = {SessionContest("shm", shape),
                                            SessionContest("tcp", shape)};
  BATON_RETURN_IF_ERROR(contest.Open());
  BATON_RETURN_IF_ERROR(contest.Run());
  figures.contestants = contest.contestants();
  for (SessionContest& one : sessions) {
    BATON_RETURN_IF_ERROR(one.Open());
    BATON_RETURN_IF_ERROR(one.Run());
    figures.sessions.push_back(one.figures());
  }
  return figures;
}

}  // namespace

int TransferBench(int argc, char** argv) {
  TransferOptions options;
  if (!ReadOptions(argc, argv, &options)) return 2;
  const absl::StatusOr<TransferFigures> figures = Measure(options.shape);
  absl::Status status = figures.status();
  if (status.ok() && !options.plot.empty()) status = PlotOf(*figures).WriteTo(options.plot);
  if (!status.ok()) {
    std::fprintf(stderr, "transfer bench: %s\n", status.ToString().c_str());
    return 2;
  }
  if (options.json) {
    PrintTransferJson(*figures);
  } else {
    PrintTransferTable(*figures);
  }
  return figures->met() ? 0 : 1;
}

}  // namespace baton::bench
