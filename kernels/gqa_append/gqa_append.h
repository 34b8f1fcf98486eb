// New tokens into the paged cache of keys and values, and their queries made ready for it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "base/dtype.h"
#include "kernels/common/cost.h"
#include "kernels/stream.h"

namespace baton {

/// The widest head that backends run.
inline constexpr int kGqaHeadDimMax = 1024;

/// Normalises each head of queries and keys where weights are given (Qwen3), rotates them in halves
/// (element i with i + head_dim / 2, as Llama and Qwen), and writes keys and values of each token
/// into its page: in planes of rows, or in a page of fp8 as common/fp8_page.h says. Between norm
/// and rotation nothing is rounded.
struct GqaAppendParams {
  int tokens = 0;
  int num_heads = 0;
  int kv_heads = 0;
  int head_dim = 0;
  int tokens_per_page = 0;
  float epsilon = 1e-6F;  // of the norms
  DType activation = DType::kBf16;
  DType weight_dtype = DType::kBf16;
  DType cache_dtype = DType::kBf16;
  const void* q = nullptr;                  // [tokens][num_heads][head_dim] activation
  const void* k = nullptr;                  // [tokens][kv_heads][head_dim] activation
  const void* v = nullptr;                  // [tokens][kv_heads][head_dim] activation
  const void* q_weight = nullptr;           // [head_dim] q_norm, or null: none
  const void* k_weight = nullptr;           // [head_dim] k_norm, or null: none
  const float* cos = nullptr;               // [positions][head_dim / 2]
  const float* sin = nullptr;               // [positions][head_dim / 2]
  const std::int32_t* positions = nullptr;  // [tokens]
  const std::int64_t* slots = nullptr;  // [tokens] page * tokens_per_page + offset; -1 = nowhere
  std::byte* pages = nullptr;           // this layer's part of page 0: [K | V][kv_head][token][dim]
  std::size_t page_stride_bytes = 0;    // KvLayout::PageBytes()
  void* query = nullptr;                // out: [tokens][num_heads][head_dim] activation; may be q
};

/// At best, for these parameters.
Cost CostOf(const GqaAppendParams& params);

/// Errors: InvalidArgument for a shape or type that no backend runs, by name.
absl::Status Check(const GqaAppendParams& params);

/// Plain loops: the definition of correct.
absl::Status ReferenceGqaAppend(const GqaAppendParams& params, Stream& stream);

}  // namespace baton
