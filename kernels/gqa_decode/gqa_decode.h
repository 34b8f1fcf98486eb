// Attention over the paged cache of keys and values: one code path for a decode row and for a
// prefill chunk.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "base/dtype.h"
#include "kernels/common/cost.h"
#include "kernels/stream.h"

namespace baton {

/// Query tokens against their paged keys and values, causal; query head h reads KV head
/// h / (num_heads / kv_heads).
/// Source: GQA (arXiv 2305.13245) section 2.2.
struct GqaDecodeParams {
  int sequences = 0;
  int num_heads = 0;
  int kv_heads = 0;  // divides num_heads
  int head_dim = 0;
  int tokens_per_page = 0;
  float softmax_scale = 0;  // multiplies q . k
  DType activation = DType::kBf16;
  DType cache_dtype = DType::kBf16;
  const std::int32_t* row_starts = nullptr;   // [sequences + 1]; rows of sequence s
  const std::int32_t* lengths = nullptr;      // [sequences] tokens that its last row sees, >= rows;
                                              // the row i before the last sees i fewer
  const std::int32_t* block_table = nullptr;  // [sequences][max_pages]; past the end: anything
  int max_pages = 0;
  const void* query = nullptr;       // [rows][num_heads][head_dim] activation
  const std::byte* pages = nullptr;  // this layer's part of page 0: [K | V][kv_head][token][dim]
  std::size_t page_stride_bytes = 0;
  void* output = nullptr;  // [rows][num_heads][head_dim] activation

  /// Bytes of one head's keys, or values, in a page.
  std::size_t PlaneBytes() const;
};

/// At best, for these parameters.
Cost CostOf(const GqaDecodeParams& params);

/// Errors: InvalidArgument for a shape or type that no backend runs, by name.
absl::Status Check(const GqaDecodeParams& params);

/// Plain loops: the definition of correct.
absl::Status ReferenceGqaDecode(const GqaDecodeParams& params, Stream& stream);

}  // namespace baton
