// The figures of `baton bench transfer`, each as a share of what the machine gave in the same run.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/bar_plot.h"
#include "tests/bench/session_contest.h"
#include "tests/bench/transfer_contest.h"

namespace baton::bench {

inline constexpr double kShmBar = 0.60;       // validated shm, of a scattered copy by one thread
inline constexpr double kTcpBar = 0.90;       // validated tcp, of a plain polling socket stream
inline constexpr double kCopyCrcBar = 0.80;   // copy and checksum, of the copy
inline constexpr double kSessionsBar = 0.90;  // four sessions, of one
inline constexpr double kOfferBarMs = 0.2;    // Offer -> Grant, idle

struct TransferFigures {
  std::vector<Contestant> contestants;  // in the order of Way
  std::vector<SessionFigures> sessions;

  double ShareOf(Way way, Way of) const;
  bool met() const;
};

void PrintTransferTable(const TransferFigures& figures);
void PrintTransferJson(const TransferFigures& figures);
BarPlot PlotOf(const TransferFigures& figures);

}  // namespace baton::bench
