// Where rows of activations lie for products of pairs: as rows while they are few, in panels of 8
// or 16 lanes when they are more (gemm_pairs.h tells why). Sizes and places alone; the memory is
// scratch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/cpu/drivers.h"
#include "kernels/cpu/level.h"

namespace baton {

struct PairRows {
  int rows = 0;
  int k = 0;

  bool few() const { return rows <= kFewRowsMax; }
  /// Rows of a panel.
  int lanes() const { return rows <= kHalfPanelRows ? 8 : 16; }
  int steps() const { return (k + 1) / 2; }
  /// Floats from a row, or from a panel, to the next.
  std::int64_t stride() const {
    return few() ? WideRowStride(steps()) : std::int64_t{steps()} * lanes();
  }
  /// Pieces that may be packed independently.
  int parts() const { return few() ? rows : (rows + lanes() - 1) / lanes(); }
  std::int64_t floats() const { return parts() * stride(); }
};

/// Packs one part; `row(i)` is where row i of all rows begins, [k] bf16.
template <class RowAt>
void PackPairPart(const CpuLevel& level, const PairRows& shape, int part, const RowAt& row,
                  float* packed) {
  float* to = packed + part * shape.stride();
  if (shape.few()) {
    to[shape.steps() - 1] = 0.0F;
    std::memcpy(to, row(part), static_cast<std::size_t>(shape.k) * sizeof(std::uint16_t));
    return;
  }
  const int first = part * shape.lanes();
  PackPairsJob job{.rows = std::min(shape.lanes(), shape.rows - first),
                   .lanes = shape.lanes(),
                   .k = shape.k,
                   .to = to};
  for (int i = 0; i < job.rows; ++i) job.from[i] = row(first + i);
  level.pack_pairs(job);
}

/// Columns of one job, a whole number of every tile's width but for the last job's, such that about
/// `jobs_wanted` share `columns`. Many rows: fewer where its weights would not stay in the
/// second-level cache. Few rows: as long a run of memory as can be, since the first tile of a job
/// was not asked for early, and what its last tile asks for is another job's.
inline int PairColumns(int columns, const PairRows& rows, int jobs_wanted) {
  constexpr std::int64_t kCachedBytes = 384 << 10;
  constexpr std::int64_t kStreamedBytes = 1 << 20;
  constexpr int kTiles = 96;  // 6, 8, 12, 16 and 32 columns divide it
  const bool streamed = rows.rows <= kHalfPanelRows;
  const auto fitting = static_cast<int>((streamed ? kStreamedBytes : kCachedBytes) / (2 * rows.k));
  const int shared = (columns + jobs_wanted - 1) / jobs_wanted;
  const int most = rows.few() ? std::max(columns, kTiles) : kPairColumnsMax;
  const int wanted = std::clamp(std::min(fitting, shared), 1, most);
  const int jobs = (columns + wanted - 1) / wanted;
  const int equal = (columns + jobs - 1) / jobs;
  return (equal + kTiles - 1) / kTiles * kTiles;
}

inline std::size_t PairScratchFloats() { return std::size_t{kPairColumnsMax} * kPairChunkRows; }

}  // namespace baton
