// A run of query vectors is as long as the cache allows, and shorter when that would leave threads
// without work.
#include "kernels/cpu/attention.h"

#include <algorithm>

#include "kernels/common/elements.h"
#include "kernels/cpu/drivers.h"

namespace baton {
namespace {

// Runs are multiples of this, so that row tiles stay whole at every level.
constexpr int kVectorsStep = 8;

struct AttentionPlan {
  const AttentionWork& work;
  int run = 0;                    // query vectors an item, at most
  std::int32_t* items = nullptr;  // [sequences * kv_heads + 1] first item of each pair of these
};

int GroupOf(const AttentionWork& work) { return work.num_heads / work.kv_heads; }

// Query vectors of a sequence that read one KV head.
int VectorsOf(const AttentionWork& work, int sequence) {
  return (work.row_starts[sequence + 1] - work.row_starts[sequence]) * GroupOf(work);
}

int RunLength(const AttentionWork& work, int threads) {
  const std::int64_t rows = work.row_starts[work.sequences] - work.row_starts[0];
  const std::int64_t share = (rows * work.num_heads + threads - 1) / threads;
  const std::int64_t whole = (share + kVectorsStep - 1) / kVectorsStep * kVectorsStep;
  return static_cast<int>(std::clamp<std::int64_t>(whole, kVectorsStep, kAttentionVectorsMax));
}

AttentionTileJob JobOf(const AttentionPlan& plan, int item) {
  const AttentionWork& work = plan.work;
  const std::int32_t* begin = plan.items;
  const std::int32_t* end = begin + work.sequences * work.kv_heads + 1;
  const int pair = static_cast<int>(std::upper_bound(begin, end, item) - begin) - 1;
  const int sequence = pair / work.kv_heads;
  const int kv_head = pair % work.kv_heads;
  const int first = (item - plan.items[pair]) * plan.run;
  AttentionTileJob job = HeadJob(work, sequence, kv_head);
  job.vectors = std::min(plan.run, VectorsOf(work, sequence) - first);
  job.first_vector = first;
  return job;
}

}  // namespace

AttentionTileJob HeadJob(const AttentionWork& work, int sequence, int kv_head) {
  const std::int64_t vector =
      std::int64_t{work.row_starts[sequence]} * work.num_heads + kv_head * GroupOf(work);
  return {.heads = GroupOf(work),
          .row_vectors = work.num_heads,
          .rows = work.row_starts[sequence + 1] - work.row_starts[sequence],
          .length = work.lengths[sequence],
          .key_dim = work.key_dim,
          .value_dim = work.value_dim,
          .value_row_dim = work.value_row_dim,
          .tokens_per_page = work.tokens_per_page,
          .softmax_scale = work.softmax_scale,
          .activation = work.activation,
          .cache_dtype = work.cache_dtype,
          .query = ElementAt(work.query, work.activation, vector * work.key_dim),
          .output = ElementAt(work.output, work.activation, vector * work.value_dim),
          .table = work.block_table + std::int64_t{sequence} * work.max_pages,
          .keys = work.pages + static_cast<std::size_t>(kv_head) * work.head_stride_bytes,
          .value_offset_bytes = work.value_offset_bytes,
          .page_stride_bytes = work.page_stride_bytes,
          .fp8_dim = work.fp8_dim,
          .fp8_block = work.fp8_block,
          .fp8_scale_offset_bytes = work.fp8_scale_offset_bytes,
          .fp8_key_rest_offset_bytes = work.fp8_key_rest_offset_bytes};
}

absl::Status RunAttention(const CpuLevel& level, const AttentionWork& work, Stream& stream) {
  if (work.sequences == 0) return absl::OkStatus();
  if (level.attention_pairs != nullptr && work.activation == DType::kBf16 &&
      work.cache_dtype == DType::kBf16) {
    RunPairAttention(level, work, stream);
    return absl::OkStatus();
  }
  AttentionPlan plan{.work = work, .run = RunLength(work, stream.threads())};
  const int pairs = work.sequences * work.kv_heads;
  plan.items = reinterpret_cast<std::int32_t*>(stream.Scratch(
      stream.SharedSlot(0), (static_cast<std::size_t>(pairs) + 1) * sizeof(std::int32_t)));
  plan.items[0] = 0;
  for (int pair = 0; pair < pairs; ++pair) {
    const int vectors = VectorsOf(work, pair / work.kv_heads);
    plan.items[pair + 1] = plan.items[pair] + (vectors + plan.run - 1) / plan.run;
  }
  stream.ForEach(plan.items[pairs], [&](int worker, int item) {
    AttentionTileJob job = JobOf(plan, item);
    job.scratch = ScratchFloats(stream, worker, level.attention_scratch_floats(job));
    level.attention_tile(job);
  });
  return absl::OkStatus();
}

}  // namespace baton
