// What every attention over pages asks of its sequences, and the sums that its cost is made of.
// `Params` has sequences, row_starts, lengths, block_table, max_pages and tokens_per_page.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "kernels/common/param_check.h"

namespace baton {

/// Errors: InvalidArgument when a row would see a token that no page holds.
template <class Params>
absl::Status CheckPagedRows(const Params& params, absl::string_view operation) {
  BATON_RETURN_IF_ERROR(Require(params.sequences >= 0, operation, "sequences >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.tokens_per_page > 0, operation, "tokens_per_page > 0"));
  for (int s = 0; s < params.sequences; ++s) {
    const int rows = params.row_starts[s + 1] - params.row_starts[s];
    const int length = params.lengths[s];
    BATON_RETURN_IF_ERROR(Require(rows >= 0, operation, "row_starts ascending"));
    BATON_RETURN_IF_ERROR(Require(length >= rows, operation, "lengths[s] >= rows of s"));
    const int pages = (length + params.tokens_per_page - 1) / params.tokens_per_page;
    BATON_RETURN_IF_ERROR(
        Require(pages <= params.max_pages, operation, "lengths[s] within max_pages"));
    const std::int32_t* table = params.block_table + std::int64_t{s} * params.max_pages;
    for (int page = 0; page < pages; ++page) {
      BATON_RETURN_IF_ERROR(
          Require(table[page] >= 0, operation, "a page below every visible token"));
    }
  }
  return absl::OkStatus();
}

struct PagedRowCounts {
  double tokens = 0;  // of sequences that have rows: each is read once a sequence
  double rows = 0;
  double pairs = 0;  // visible (row, token) pairs
};

template <class Params>
PagedRowCounts CountPagedRows(const Params& params) {
  PagedRowCounts counts;
  for (int s = 0; s < params.sequences; ++s) {
    const double rows = params.row_starts[s + 1] - params.row_starts[s];
    if (rows == 0) continue;
    counts.tokens += params.lengths[s];
    counts.rows += rows;
    counts.pairs += rows * params.lengths[s] - rows * (rows - 1) / 2;
  }
  return counts;
}

}  // namespace baton
