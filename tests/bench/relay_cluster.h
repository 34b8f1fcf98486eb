// A cluster of the real program on loopback, one prefill and one decode worker over one wire, and
// what one streamed request through it cost.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/bench/http_stream.h"
#include "tests/bench/subprocess.h"

namespace baton::bench {

/// The spans of one request, in milliseconds. The first six are the budget that the answer itself
/// carries (docs/api.md); the others are seen by the client.
enum class RelaySpan : std::uint8_t {
  kFirstToken,
  kQueue,
  kPrefill,
  kOffer,
  kExposed,
  kCommit,
  kGap,   // first token to second: the hand-off, and decode's first step
  kStep,  // median between later tokens: a decode step alone
};
inline constexpr std::array<const char*, 8> kRelaySpanNames = {
    "first_token", "queue", "prefill", "offer", "exposed", "commit", "gap", "step"};

struct RelaySample {
  std::array<double, kRelaySpanNames.size()> ms{};
  std::int64_t bytes = 0;  // handed over
  std::string wire;        // as found

  double operator[](RelaySpan span) const { return ms[static_cast<std::size_t>(span)]; }
  /// The hand-off as a client sees it: from the first token's arrival to where decode's first step
  /// began. Both tokens take the same way through the router, so that way is not in it.
  double HandoffMs() const { return (*this)[RelaySpan::kGap] - (*this)[RelaySpan::kStep]; }
};

class RelayCluster {
 public:
  /// Starts `baton up` beside this program and waits until it is ready.
  /// Errors: Unavailable with what to look at.
  static absl::StatusOr<RelayCluster> Start(const std::string& model, const std::string& wire);

  /// One streamed request of `tokens`, which no earlier one may begin with.
  absl::StatusOr<RelaySample> Ask(const std::vector<int>& tokens);

  /// Mean of `baton_handoff_admit_seconds` so far: Commit to the first step at the decode worker.
  absl::StatusOr<double> AdmitMs() const;

 private:
  RelayCluster(std::unique_ptr<Subprocess> process, int decode_port, HttpStream client)
      : process_(std::move(process)), decode_port_(decode_port), client_(std::move(client)) {}

  std::unique_ptr<Subprocess> process_;
  int decode_port_;
  HttpStream client_;
};

}  // namespace baton::bench
