// Attention over the paged latent cache: one code path for a decode row and for a prefill chunk.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "base/dtype.h"
#include "kernels/common/cost.h"
#include "kernels/stream.h"

namespace baton {

/// Query tokens against their paged latent cache, in absorbed MLA form, causal.
/// Source: DeepSeek-V2 section 2.1.
struct MlaDecodeParams {
  int sequences = 0;
  int num_heads = 0;
  int latent_dim = 0;
  int rope_dim = 0;
  int tokens_per_page = 0;
  float softmax_scale = 0;  // multiplies q . k
  DType activation = DType::kBf16;
  DType cache_dtype = DType::kBf16;
  const std::int32_t* row_starts = nullptr;   // [sequences + 1]; rows of sequence s
  const std::int32_t* lengths = nullptr;      // [sequences] tokens that its last row sees, >= rows;
                                              // the row i before the last sees i fewer
  const std::int32_t* block_table = nullptr;  // [sequences][max_pages]; past the end: anything
  int max_pages = 0;
  const void* query = nullptr;       // [rows][num_heads][latent_dim + rope_dim] activation
  const std::byte* pages = nullptr;  // this layer's part of page 0
  std::size_t page_stride_bytes = 0;
  void* output = nullptr;  // [rows][num_heads][latent_dim] activation
};

/// At best, for these parameters.
Cost CostOf(const MlaDecodeParams& params);

/// Errors: InvalidArgument for a shape or type that no backend runs, by name.
absl::Status Check(const MlaDecodeParams& params);

/// Plain loops: the definition of correct.
absl::Status ReferenceMlaDecode(const MlaDecodeParams& params, Stream& stream);

}  // namespace baton
