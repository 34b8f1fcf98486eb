// Attention over pages as all its forms share it: some query heads read one row of keys and one of
// values a token. Latent attention is the case of one KV head whose values are the first part of
// its keys.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "kernels/cpu/level.h"
#include "kernels/stream.h"

namespace baton {

/// Parameters that have been checked. Shapes as in mla_decode.h and gqa_decode.h.
struct AttentionWork {
  int sequences = 0;
  int num_heads = 0;
  int kv_heads = 1;   // divides num_heads
  int key_dim = 0;    // of a query and a key
  int value_dim = 0;  // of a value and an output
  int tokens_per_page = 0;
  float softmax_scale = 0;
  DType activation = DType::kBf16;
  DType cache_dtype = DType::kBf16;
  const std::int32_t* row_starts = nullptr;
  const std::int32_t* lengths = nullptr;
  const std::int32_t* block_table = nullptr;
  int max_pages = 0;
  const void* query = nullptr;       // [rows][num_heads][key_dim] activation
  const std::byte* pages = nullptr;  // the keys of KV head 0 in page 0
  std::size_t page_stride_bytes = 0;
  std::size_t head_stride_bytes = 0;   // from a KV head's keys to the next one's
  std::size_t value_offset_bytes = 0;  // from a KV head's keys to its values
  int value_row_dim = 0;               // elements between the values of two tokens
  void* output = nullptr;              // [rows][num_heads][value_dim] activation
  // As in AttentionTileJob.
  int fp8_dim = 0;
  int fp8_block = 0;
  std::size_t fp8_scale_offset_bytes = 0;
  std::size_t fp8_key_rest_offset_bytes = 0;
};

/// The job of one KV head of one sequence, but for which vectors, parts and scratch.
AttentionTileJob HeadJob(const AttentionWork& work, int sequence, int kv_head);

/// RunAttention where query, pages and output are bf16 and the level has pairs.
void RunPairAttention(const CpuLevel& level, const AttentionWork& work, Stream& stream);

/// Work is cut into (sequence, KV head, run of query vectors).
absl::Status RunAttention(const CpuLevel& level, const AttentionWork& work, Stream& stream);

}  // namespace baton
