// A level of the instruction set as a table of leaf loops, and the jobs they take. Leaves are
// compiled once a level with that level's flags; everything around them (checks, cutting the work,
// threads, scratch) is compiled for any x86-64, so that no instruction of a level can leak into
// code that runs on a machine without it. For the same reason a leaf's translation unit
// instantiates nothing of std or absl.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"

namespace baton {

/// Output columns that a panel of weights covers, at most; every level's width divides it.
inline constexpr int kPanelWidthMax = 32;
/// Rows of one gemm panel job, at most: a panel of weights is widened and transposed once a job.
inline constexpr int kGemmRowsMax = 256;
/// Query vectors of one attention job, at most: a page is made ready once a job, which costs as
/// much as about 5 vectors.
inline constexpr int kAttentionVectorsMax = 128;

/// Rows up to which a product of pairs reads its activations as rows, and up to which as a panel of
/// 8 lanes; more are panels of 16.
inline constexpr int kFewRowsMax = 2;
inline constexpr int kHalfPanelRows = 8;
/// Rows whose sums a product of pairs holds at once, and columns of one job, at most: 96 KiB of
/// sums, beside 384 KiB of weights in the second-level cache.
inline constexpr int kPairChunkRows = 64;
inline constexpr int kPairColumnsMax = 384;

/// c[r][j] = sum_k a[r][k] * b[j][k] (+ bias[j]), r < rows, j < columns.
struct GemmPanelJob {
  int rows = 0;     // [1, kGemmRowsMax]
  int columns = 0;  // [1, CpuLevel::panel_width]
  int k = 0;
  const float* a = nullptr;   // rows
  std::int64_t a_stride = 0;  // floats
  const void* b = nullptr;    // rows of output columns, K contiguous
  DType b_dtype = DType::kBf16;
  std::int64_t b_stride = 0;
  const void* bias = nullptr;  // [columns] b_dtype, or null
  void* c = nullptr;
  DType c_dtype = DType::kBf16;
  std::int64_t c_stride = 0;
  float* scratch = nullptr;  // CpuLevel::gemm_scratch_floats, 64-byte aligned
};

/// The same sum of bf16 by bf16, two products a step. Units are pairs of neighbours in K, 32 bits
/// wide; an odd last element has a 0 beside it.
struct GemmPairsJob {
  int rows = 0;     // >= 1
  int columns = 0;  // >= 1; of more than kFewRowsMax rows at most kPairColumnsMax
  int k = 0;
  const float* a = nullptr;          // rows <= kFewRowsMax: rows of units; <= kHalfPanelRows: one
                                     // panel, [units of K][8]; more: panels of 16 rows, [units of
                                     // K][16]; zeros where there is no row
  std::int64_t a_stride = 0;         // units from a row, or a panel, to the next
  const std::uint16_t* b = nullptr;  // rows of output columns, K contiguous
  std::int64_t b_stride = 0;
  const void* bias = nullptr;  // [columns] bf16, or null
  void* c = nullptr;
  DType c_dtype = DType::kBf16;
  std::int64_t c_stride = 0;
  float* scratch = nullptr;  // of more than kFewRowsMax rows: [columns, in whole
                             // 16][kPairChunkRows], 64-byte aligned
};

/// Turns up to 16 rows of bf16 into a panel for GemmPairsJob.
struct PackPairsJob {
  int rows = 0;    // [1, lanes]
  int lanes = 16;  // or 8
  int k = 0;
  const std::uint16_t* from[16] = {};
  float* to = nullptr;  // [units of K][lanes]
};

/// A run of query vectors (row * heads + head) of one sequence that read one KV head, against all
/// pages that they see.
struct AttentionTileJob {
  int vectors = 0;       // [1, kAttentionVectorsMax]
  int first_vector = 0;  // within the sequence
  int heads = 0;         // of a row, that read this KV head
  int row_vectors = 0;   // from a row to the next in query and output
  int rows = 0;          // of the sequence
  int length = 0;        // tokens that its last row sees
  int key_dim = 0;
  int value_dim = 0;
  int value_row_dim = 0;  // elements from a token's values to the next one's
  int tokens_per_page = 0;
  float softmax_scale = 0;
  DType activation = DType::kBf16;
  DType cache_dtype = DType::kBf16;
  const void* query = nullptr;  // [rows][row_vectors][key_dim] activation, from the first head
  void* output = nullptr;       // [rows][row_vectors][value_dim] activation
  const std::int32_t* table = nullptr;
  const std::byte* keys = nullptr;     // in page 0: [tokens_per_page][key_dim]
  std::size_t value_offset_bytes = 0;  // from the keys to [tokens_per_page][value_row_dim]
  std::size_t page_stride_bytes = 0;
  // Pages of fp8: rows of keys begin with fp8_dim values of e4m3, in planes of their own (keys and
  // values alike), a scale each fp8_block of them. The rest of a key is bf16.
  int fp8_dim = 0;
  int fp8_block = 0;                          // a multiple of 16, or >= fp8_dim
  std::size_t fp8_scale_offset_bytes = 0;     // from the first e4m3 value to the first scale
  std::size_t fp8_key_rest_offset_bytes = 0;  // to [tokens_per_page][key_dim - fp8_dim] bf16
  // For attention_pairs alone: parts of kPartPages pages.
  int first_part = 0;
  int parts = 1;
  float* partials = nullptr;  // where the one part goes instead of being finished; for
                              // attention_merge, all parts' one behind the other
  float* scratch = nullptr;   // CpuLevel's attention scratch floats of job, 64-byte aligned
};

/// out = residual / rms * weight, after residual += x where there is an x.
struct NormRowJob {
  int dim = 0;
  float epsilon = 0;
  DType activation = DType::kBf16;
  DType weight_dtype = DType::kBf16;
  DType out_dtype = DType::kBf16;
  const void* x = nullptr;         // [dim] activation, or null
  const void* residual = nullptr;  // [dim] activation
  void* kept = nullptr;            // the residual, to be written: not null where there is an x
  const void* weight = nullptr;
  void* out = nullptr;
};

/// The rotary part of one vector, pairs interleaved.
struct RotateRowJob {
  int pairs = 0;  // a multiple of 8
  DType activation = DType::kBf16;
  DType to_dtype = DType::kBf16;
  const void* from = nullptr;  // [2 * pairs] activation
  void* to = nullptr;          // [2 * pairs]
  const float* cos = nullptr;  // [pairs]
  const float* sin = nullptr;
};

/// Query vectors of one attention_pairs job, at most, and pages of a part of a sequence. A part is
/// an item of its own where sequences are few; merging one costs as much as 3 of its pages' tokens.
inline constexpr int kAttentionPairVectorsMax = 64;
inline constexpr int kPartPages = 4;

struct CpuLevel {
  const char* isa;
  int panel_width;
  std::size_t gemm_scratch_floats;
  void (*gemm_panel)(const GemmPanelJob&);
  // Null where the level has no pairs.
  void (*gemm_pairs)(const GemmPairsJob&);
  void (*pack_pairs)(const PackPairsJob&);
  std::size_t (*attention_scratch_floats)(const AttentionTileJob&);  // reads dimensions alone
  void (*attention_tile)(const AttentionTileJob&);
  // Null where the level has no pairs; query, pages and output are bf16.
  std::size_t (*attention_pairs_scratch_floats)(const AttentionTileJob&);
  std::size_t (*attention_part_floats)(const AttentionTileJob&);
  void (*attention_pairs)(const AttentionTileJob&);
  void (*attention_merge)(const AttentionTileJob&);
  void (*norm_row)(const NormRowJob&);
  void (*rotate_row)(const RotateRowJob&);
  /// to[i] = from[i], i < count.
  void (*widen)(const void* from, DType type, float* to, int count);
  void (*narrow)(const float* from, void* to, DType type, int count);
  /// out[i] = silu(gate[i]) * up[i], all of `type`; `out` may be `gate`.
  void (*silu_mul)(const void* gate, const void* up, void* out, DType type, int count);
  /// sum[i] += weight * values[i]
  void (*add_scaled)(float weight, const float* values, float* sum, int count);
};

extern const CpuLevel kAvx2Level;
extern const CpuLevel kAvx512Level;
extern const CpuLevel kAvx512Bf16Level;

}  // namespace baton
