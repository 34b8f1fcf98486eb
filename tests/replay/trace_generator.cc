#include "tests/replay/trace_generator.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tests/sim/sim_random.h"

namespace baton {
namespace {

constexpr int kRequests = 12'031;
constexpr double kSeconds = 3'537;
constexpr double kTick = 3;
constexpr int kInputMin = 890;
constexpr int kInputMax = 126'195;
constexpr double kInputMedian = 6'909;
constexpr double kInputSigma = 1.05;  // of the logarithm: p90 / p50 is 4
constexpr int kOutputMax = 2'000;
constexpr double kOutputMean = 350;
constexpr double kOutputSigma = 190;
constexpr double kNextTurn = 0.39;           // requests that continue a conversation
constexpr std::size_t kConversations = 600;  // that may go on: a turn follows within minutes

double Share(SimRandom& random) {
  return (static_cast<double>(random.Next() >> 11) + 0.5) * 0x1.0p-53;
}

// Source: G. E. P. Box, M. E. Muller, A Note on the Generation of Random Normal Deviates, 1958.
double Normal(SimRandom& random) {
  const double radius = std::sqrt(-2 * std::log(Share(random)));
  return radius * std::cos(2 * std::numbers::pi * Share(random));
}

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  Trace Run() {
    std::vector<double> times;
    for (int i = 0; i < kRequests; ++i) {
      times.push_back(std::floor(kSeconds * Share(random_) / kTick) * kTick);
    }
    std::sort(times.begin(), times.end());
    Trace trace;
    for (const double time : times) trace.push_back(Next(time));
    return trace;
  }

 private:
  TraceRequest Next(double time) {
    TraceRequest request;
    request.seconds = time;
    request.output_tokens = static_cast<int>(
        std::clamp(kOutputMean + kOutputSigma * Normal(random_), 1.0, double{kOutputMax}));
    const bool goes_on = !open_.empty() && Share(random_) < kNextTurn;
    const std::size_t which = random_.Below(std::max<std::size_t>(1, open_.size()));
    request.input_tokens = Length();
    if (goes_on) {
      const TraceRequest& last = open_[which];
      // The last prompt, its answer and a new question: the whole blocks of the prompt are shared.
      request.blocks.assign(last.blocks.begin(), last.blocks.end() - 1);
      const int question = static_cast<int>(kQuestionMean * -std::log(Share(random_)));
      request.input_tokens =
          std::min(kInputMax, last.input_tokens + last.output_tokens + 1 + question);
    }
    if (request.blocks.empty()) request.blocks.push_back(0);
    const auto blocks = static_cast<std::size_t>((request.input_tokens + kTraceBlockTokens - 1) /
                                                 kTraceBlockTokens);
    request.blocks.resize(std::min(request.blocks.size(), blocks));
    while (request.blocks.size() < blocks) request.blocks.push_back(++last_block_);
    Keep(request, goes_on, which);
    return request;
  }

  int Length() {
    const double tokens = kInputMedian * std::exp(kInputSigma * Normal(random_));
    return static_cast<int>(std::clamp(tokens, double{kInputMin}, double{kInputMax}));
  }

  void Keep(const TraceRequest& request, bool goes_on, std::size_t which) {
    if (goes_on) {
      open_[which] = request;
    } else if (open_.size() < kConversations) {
      open_.push_back(request);
    } else {
      open_[random_.Below(kConversations)] = request;
    }
  }

  static constexpr double kQuestionMean = 700;

  SimRandom random_;
  std::vector<TraceRequest> open_;
  std::uint64_t last_block_ = 0;
};

}  // namespace

Trace GenerateConversations(std::uint64_t seed) { return Generator(seed).Run(); }

}  // namespace baton
