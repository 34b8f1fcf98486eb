// Which attempts of which requests a worker has seen, so that every message about them is
// idempotent: a repeated job is not run twice, an older attempt never replaces a newer one.
//
// Ended requests are remembered, the last 1,024 of them.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/ids.h"

namespace baton {

class JobBook {
 public:
  static constexpr std::size_t kEndedMax = 1024;

  /// False when this attempt, or a newer one, has been seen: ignore the job.
  bool IsNew(const RequestId& request, std::uint32_t attempt) const;

  /// The live sequence of `request`, if it is attempt `attempt` (0 = any).
  std::optional<SequenceId> Live(const RequestId& request, std::uint32_t attempt) const;

  /// Needs IsNew(), and no live attempt of the request.
  void Begin(const RequestId& request, std::uint32_t attempt, SequenceId sequence);

  /// `sequence` gets no messages any more. Harmless when it has ended already.
  void End(const RequestId& request, SequenceId sequence);

 private:
  struct Entry {
    std::uint32_t attempt = 0;  // the newest seen
    SequenceId sequence{};
    bool live = false;
  };

  std::map<RequestId, Entry> entries_;
  std::deque<RequestId> ended_;  // in the order in which they ended
};

}  // namespace baton
