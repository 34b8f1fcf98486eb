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
/// much as about 5 vectors. 128 instead of 64 gives 10 % on chunks of 512 rows (measured,
/// avx512_bf16, 1 MB L2), and nothing on fp32 levels.
inline constexpr int kAttentionVectorsMax = 128;

/// c[r][j] = sum_k a[r][k] * b[j][k] (+ bias[j]), r < rows, j < columns.
struct GemmPanelJob {
  int rows = 0;     // [1, kGemmRowsMax]
  int columns = 0;  // [1, CpuLevel::panel_width]
  int k = 0;
  const float* a = nullptr;   // rows of units: fp32, or for gemm_pairs pairs of bf16, k even or a 0
                              // after the last
  std::int64_t a_stride = 0;  // units
  const void* b = nullptr;    // rows of output columns, K contiguous
  DType b_dtype = DType::kBf16;
  std::int64_t b_stride = 0;
  const void* bias = nullptr;  // [columns] b_dtype, or null
  void* c = nullptr;
  DType c_dtype = DType::kBf16;
  std::int64_t c_stride = 0;
  float* scratch = nullptr;  // CpuLevel::gemm_scratch_floats, 64-byte aligned
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
  float* scratch = nullptr;  // CpuLevel::attention_scratch_floats(job), 64-byte aligned
};

struct CpuLevel {
  const char* isa;
  int panel_width;
  std::size_t gemm_scratch_floats;
  void (*gemm_panel)(const GemmPanelJob&);
  void (*gemm_pairs)(const GemmPanelJob&);  // a and b both bf16; null where the level has no pairs
  std::size_t (*attention_scratch_floats)(const AttentionTileJob&);  // reads dimensions alone
  void (*attention_tile)(const AttentionTileJob&);
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
