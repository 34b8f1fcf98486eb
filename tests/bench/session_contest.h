// What sessions cost: the same bytes in whole hand-offs through one session and through four at a
// time, and the time of a hand-off that carries a single page.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/handoff_rig.h"
#include "tests/bench/transfer_contest.h"

namespace baton::bench {

inline constexpr int kSessionsManyCount = 4;

struct SessionFigures {
  std::string wire;
  std::vector<double> one_gb_per_s;   // a value a round
  std::vector<double> many_gb_per_s;  // kSessionsManyCount hand-offs at a time
  std::vector<double> small_ms;       // one page: offered -> settled, as the engine thread sees it
  std::vector<double> offer_ms;       // of these: Offer -> Grant

  double ManyShare() const { return MedianOf(many_gb_per_s) / MedianOf(one_gb_per_s); }
};

class SessionContest {
 public:
  /// Forks its receivers: nothing of the caller's may be open yet.
  SessionContest(const std::string& wire, const TransferShape& shape);

  absl::Status Open();
  /// One untimed round, then the timed ones; then the small hand-offs. Compares every byte.
  absl::Status Run();

  const SessionFigures& figures() const { return figures_; }

 private:
  static constexpr std::size_t kReceivers = 2 + kSessionsManyCount;  // one, the many, the small

  /// Whole hand-offs to the receivers [first, end) at once; GB/s.
  absl::StatusOr<double> HandOver(std::size_t first, std::size_t end);
  absl::Status Small();

  const TransferShape shape_;
  SessionFigures figures_;
  std::vector<ReceiverPlan> plans_;
  std::vector<std::unique_ptr<ForkedPeer>> receivers_;
  std::unique_ptr<KvArena> pages_;
  std::unique_ptr<SendingEnd> end_;
};

}  // namespace baton::bench
