// The plain loops' softmax, before the division.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace baton {

/// Scores become exp(score - largest); returns their sum. `scores` is not empty.
inline double WeighScores(std::vector<double>& scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) {
    score = std::exp(score - largest);
    sum += score;
  }
  return sum;
}

}  // namespace baton
