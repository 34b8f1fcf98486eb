#include "scheduling/step_time.h"

#include <algorithm>
#include <cmath>

namespace baton {
namespace {

// Typical sizes of the sums: features are divided by them, so that one ridge suits all.
constexpr std::array<double, 4> kScale = {1.0, 512.0, 512.0 * 1024.0, 16.0};
const double kDecay = std::exp2(-1.0 / 500.0);  // half-life of 500 steps
constexpr double kRidge = 0.01;                 // of one step's weight, per scaled term
constexpr double kClipSigmas = 3.0;
constexpr double kStepsBeforeClipping = 30;
constexpr double kSecondsMax = 1000;
constexpr double kRatioMin = 1e-3;  // no clock is better
constexpr double kRatioMax = 10;    // of one step: a first one may load a model

}  // namespace

StepTime::StepTime(const StepCost& prior)
    : prior_{prior.fixed * kScale[0], prior.per_token * kScale[1], prior.per_pair * kScale[2],
             prior.per_sequence * kScale[3]},
      normal_{},
      moment_{},
      cost_(prior) {}

StepTime::Row StepTime::Features(const StepShape& shape) {
  return {1.0 / kScale[0], shape.tokens / kScale[1], shape.pairs / kScale[2],
          shape.sequences / kScale[3]};
}

void StepTime::Observe(const StepShape& shape, double seconds) {
  if (!(seconds > 0) || seconds >= kSecondsMax) return;
  const double predicted = cost_.Seconds(shape);
  double residual = seconds - predicted;
  if (weight_ >= kStepsBeforeClipping) {
    const double limit = kClipSigmas * std::sqrt(residual_square_);
    residual = std::clamp(residual, -limit, limit);
  }
  const Row features = Features(shape);
  for (std::size_t i = 0; i < kTerms; ++i) {
    for (std::size_t j = 0; j < kTerms; ++j) {
      normal_[i][j] = kDecay * normal_[i][j] + features[i] * features[j];
    }
    moment_[i] = kDecay * moment_[i] + features[i] * (predicted + residual);
  }
  // The mean moves with the unclipped residual, so that a machine that changed for good is
  // believed.
  const double square = (seconds - predicted) * (seconds - predicted);
  weight_ = kDecay * weight_ + 1;
  residual_square_ += (square - residual_square_) / weight_;
  if (predicted > 0) {
    const double ratio = std::clamp(std::abs(seconds / predicted - 1), kRatioMin, kRatioMax);
    ratio_mean_ += (ratio - ratio_mean_) / weight_;
  }
  Solve();
}

StepTime::Row StepTime::SolveActive(std::array<Row, kTerms> matrix, Row right,
                                    const std::array<bool, kTerms>& active) {
  for (std::size_t i = 0; i < kTerms; ++i) {
    if (active[i]) continue;
    for (std::size_t j = 0; j < kTerms; ++j) matrix[i][j] = matrix[j][i] = 0;
    matrix[i][i] = 1;
    right[i] = 0;
  }
  for (std::size_t column = 0; column < kTerms; ++column) {
    for (std::size_t row = column + 1; row < kTerms; ++row) {
      const double factor = matrix[row][column] / matrix[column][column];
      for (std::size_t k = column; k < kTerms; ++k) matrix[row][k] -= factor * matrix[column][k];
      right[row] -= factor * right[column];
    }
  }
  Row solution{};
  for (std::size_t back = kTerms; back-- > 0;) {
    double sum = right[back];
    for (std::size_t k = back + 1; k < kTerms; ++k) sum -= matrix[back][k] * solution[k];
    solution[back] = sum / matrix[back][back];
  }
  return solution;
}

void StepTime::Solve() {
  std::array<Row, kTerms> matrix = normal_;
  Row right = moment_;
  for (std::size_t i = 0; i < kTerms; ++i) {
    matrix[i][i] += kRidge;
    right[i] += kRidge * prior_[i];
  }
  // A negative coefficient is noise: take the term out and solve again. At most kTerms rounds.
  std::array<bool, kTerms> active;
  active.fill(true);
  Row solution{};
  for (std::size_t round = 0; round <= kTerms; ++round) {
    solution = SolveActive(matrix, right, active);
    const auto lowest = std::min_element(solution.begin(), solution.end());
    if (*lowest >= 0) break;
    active[static_cast<std::size_t>(lowest - solution.begin())] = false;
  }
  for (double& value : solution) value = std::max(value, 0.0);
  cost_ = {.fixed = solution[0] / kScale[0],
           .per_token = solution[1] / kScale[1],
           .per_pair = solution[2] / kScale[2],
           .per_sequence = solution[3] / kScale[3]};
}

}  // namespace baton
