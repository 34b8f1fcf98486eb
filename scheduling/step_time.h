// Seconds of one forward pass, linear in what the pass holds. The worker fits the coefficients, for
// it sees every step; it states them in its load statement, so all routers predict with the same
// ones, and its own scheduler uses the same object.
//
// Pure: the caller measures the seconds.
#pragma once

#include <array>
#include <cstddef>

namespace baton {

/// A step as three sums (and the constant 1). A run of x tokens after ctx cached ones adds x, x *
/// (ctx + x / 2) and 1. A plain value: a router makes one without a Step.
struct StepShape {
  double tokens = 0;
  double pairs = 0;  // (query, key) pairs of causal attention
  double sequences = 0;

  void AddRun(double context, double run_tokens) {
    tokens += run_tokens;
    pairs += run_tokens * (context + run_tokens / 2);
    sequences += 1;
  }
};

/// What each sum costs. Never negative.
struct StepCost {
  double fixed = 0;  // seconds of a step, whatever it holds
  double per_token = 0;
  double per_pair = 0;
  double per_sequence = 0;

  double Seconds(const StepShape& shape) const {
    return fixed + per_token * shape.tokens + per_pair * shape.pairs +
           per_sequence * shape.sequences;
  }

  friend bool operator==(const StepCost&, const StepCost&) = default;
};

/// The fit: normal equations that forget with a half-life of 500 steps, held towards the prior
/// where the steps seen say nothing (ridge), outliers clipped, coefficients at least 0.
class StepTime {
 public:
  explicit StepTime(const StepCost& prior);

  /// Learns from one finished step. Seconds outside (0, 1000) are ignored.
  void Observe(const StepShape& shape, double seconds);

  const StepCost& cost() const { return cost_; }
  double Seconds(const StepShape& shape) const { return cost_.Seconds(shape); }

  /// Nine steps of ten differ from their forecast by at most this share of it; 0 until one was
  /// seen. What two workers' coefficients must differ by before it means anything.
  double residual_ratio() const { return kP90OfMean * ratio_mean_; }

 private:
  /// Of a half-normal: 1.645 sigma over sigma sqrt(2 / pi).
  static constexpr double kP90OfMean = 2.06;

  static constexpr std::size_t kTerms = 4;  // 1, tokens, pairs, sequences
  using Row = std::array<double, kTerms>;

  static Row Features(const StepShape& shape);
  /// Of a symmetric positive definite system over the terms in `active`; the others stay 0.
  static Row SolveActive(std::array<Row, kTerms> matrix, Row right,
                         const std::array<bool, kTerms>& active);
  void Solve();

  const Row prior_;                 // in units of the scaled features
  std::array<Row, kTerms> normal_;  // decayed sum of f f'
  Row moment_;                      // decayed sum of f * seconds
  double residual_square_ = 0;      // decayed mean of squared residuals
  double weight_ = 0;               // decayed number of steps
  double ratio_mean_ = 0;           // decayed mean of |seconds / forecast - 1|
  StepCost cost_;
};

}  // namespace baton
