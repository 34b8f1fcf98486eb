// What the recall model's weights are written with: a bf16 matrix, and noise that any program can
// make again.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/common/float_bits.h"
#include "kernels/common/philox.h"

namespace baton {

/// A weight under construction: bf16, row-major, zero where nothing is set.
class RecallMatrix {
 public:
  RecallMatrix(int rows, int cols)
      : rows_(rows), cols_(cols), values_(static_cast<std::size_t>(rows) * Width()) {}

  /// Rounds to bf16 once.
  void Set(int row, int col, double value) {
    values_[static_cast<std::size_t>(row) * Width() + static_cast<std::size_t>(col)] =
        FloatToBf16(static_cast<float>(value));
  }
  int rows() const { return rows_; }
  int cols() const { return cols_; }
  /// The bit patterns; the matrix is empty afterwards.
  std::vector<std::uint16_t> Take() { return std::move(values_); }

 private:
  std::size_t Width() const { return static_cast<std::size_t>(cols_); }

  int rows_;
  int cols_;
  std::vector<std::uint16_t> values_;
};

/// A rectangle of a matrix.
struct RecallBlock {
  int first_row;
  int rows;
  int first_col;
  int cols;
};

/// Noise is integers from Philox times a scale, so that another program can make the same bytes:
/// the sum of a word's four bytes less its mean, whose deviation is sqrt(4 * (256^2 - 1) / 12).
class RecallNoise {
 public:
  RecallNoise(std::uint32_t layer, std::uint32_t tensor) : key_{layer, tensor} {}

  /// Overwrites `block`; the numbers follow from their place in the matrix alone.
  void Fill(const RecallBlock& block, double deviation, RecallMatrix& matrix) const {
    const double scale = deviation / std::sqrt(21845.0);
    for (int row = block.first_row; row < block.first_row + block.rows; ++row) {
      for (int col = block.first_col; col < block.first_col + block.cols; ++col) {
        const auto place = static_cast<std::uint32_t>(row * matrix.cols() + col);
        matrix.Set(row, col, scale * Integer(place));
      }
    }
  }

 private:
  int Integer(std::uint32_t place) const {
    const std::uint32_t word = Philox4x32({place, 0, 0, 0}, key_)[0];
    const std::uint32_t sum =
        (word & 255) + ((word >> 8) & 255) + ((word >> 16) & 255) + (word >> 24);
    return static_cast<int>(sum) - 510;
  }

  const PhiloxKey key_;
};

}  // namespace baton
