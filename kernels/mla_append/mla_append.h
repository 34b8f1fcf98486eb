// New tokens into the paged latent cache, and the rotary part of their queries.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "base/dtype.h"
#include "kernels/common/cost.h"
#include "kernels/stream.h"

namespace baton {

/// Normalises the latent, rotates the rope parts of keys and queries (interleaved pairs, as
/// DeepSeek's checkpoints), writes the latent and rope row of each token into its page: as one row,
/// or in a page of fp8 as common/fp8_page.h says.
struct MlaAppendParams {
  int tokens = 0;
  int num_heads = 0;
  int nope_dim = 0;
  int rope_dim = 0;
  int latent_dim = 0;
  int tokens_per_page = 0;
  float epsilon = 1e-6F;
  DType activation = DType::kBf16;
  DType weight_dtype = DType::kBf16;
  DType cache_dtype = DType::kBf16;
  const void* kv = nullptr;                 // [tokens][latent_dim + rope_dim] activation
  const void* q = nullptr;                  // [tokens][num_heads][nope_dim + rope_dim] activation
  const void* latent_weight = nullptr;      // [latent_dim], kv_a_layernorm
  const float* cos = nullptr;               // [positions][rope_dim / 2], mscale included
  const float* sin = nullptr;               // [positions][rope_dim / 2]
  const std::int32_t* positions = nullptr;  // [tokens]
  const std::int64_t* slots = nullptr;  // [tokens] page * tokens_per_page + offset; -1 = nowhere
  std::byte* pages = nullptr;           // this layer's part of page 0
  std::size_t page_stride_bytes = 0;    // KvLayout::PageBytes()
  void* query = nullptr;                // out: rope parts only, at [t][h][latent_dim ...] of
                                        // [tokens][num_heads][latent_dim + rope_dim] activation
};

/// At best, for these parameters.
Cost CostOf(const MlaAppendParams& params);

/// Errors: InvalidArgument for a shape or type that no backend runs, by name.
absl::Status Check(const MlaAppendParams& params);

/// Plain loops: the definition of correct.
absl::Status ReferenceMlaAppend(const MlaAppendParams& params, Stream& stream);

}  // namespace baton
