// A Step as the kernels want it: flat arrays over all rows, allocated once for the largest step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/step.h"

namespace baton {

/// The most that a step may hold; scratch memory follows from it.
struct BatchLimits {
  int tokens = 0;
  int sequences = 0;
  int pages_per_sequence = 0;
  int tokens_per_page = 0;

  /// Rows of logits that are held at a time: those that sample, or some of a prompt's.
  int LogitRows() const { return std::max(sequences, kPromptRowsAtOnce); }

  /// Enough that a product with the head is one of matrices.
  static constexpr int kPromptRowsAtOnce = 16;
};

struct Batch {
  explicit Batch(const BatchLimits& limits);

  /// Takes over `step`, which fits the limits. Entries keep their order.
  void Fill(const Step& step);

  int tokens() const { return static_cast<int>(ids.size()); }
  int sequences() const { return static_cast<int>(lengths.size()); }

  const BatchLimits limits;
  std::vector<std::int32_t> ids;          // [tokens]
  std::vector<std::int32_t> positions;    // [tokens]
  std::vector<std::int64_t> slots;        // [tokens] page * tokens_per_page + offset
  std::vector<std::int32_t> row_starts;   // [sequences + 1]
  std::vector<std::int32_t> lengths;      // [sequences] tokens seen by the last row
  std::vector<std::int32_t> block_table;  // [sequences][max_pages]
  int max_pages = 0;                      // of this step's sequences
  std::vector<std::int32_t> sample_rows;  // the last row of each entry that samples
};

}  // namespace baton
