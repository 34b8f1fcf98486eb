// Work is cut into (sequence, run of query vectors). A run is as long as the cache allows, and
// shorter when that would leave threads without work.
#include <algorithm>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/cpu/drivers.h"

namespace baton {
namespace {

// Runs are multiples of this, so that row tiles stay whole at every level.
constexpr int kVectorsStep = 8;

struct MlaPlan {
  const MlaDecodeParams& params;
  int run = 0;                    // query vectors an item, at most
  std::int32_t* items = nullptr;  // [sequences + 1] first item of each sequence
};

int VectorsOf(const MlaDecodeParams& params, int sequence) {
  return (params.row_starts[sequence + 1] - params.row_starts[sequence]) * params.num_heads;
}

int RunLength(const MlaDecodeParams& params, int threads) {
  const std::int64_t rows = params.row_starts[params.sequences] - params.row_starts[0];
  const std::int64_t share = (rows * params.num_heads + threads - 1) / threads;
  const std::int64_t whole = (share + kVectorsStep - 1) / kVectorsStep * kVectorsStep;
  return static_cast<int>(std::clamp<std::int64_t>(whole, kVectorsStep, kMlaVectorsMax));
}

MlaTileJob JobOf(const MlaPlan& plan, int item) {
  const MlaDecodeParams& params = plan.params;
  const std::int32_t* begin = plan.items;
  const std::int32_t* end = begin + params.sequences + 1;
  const int sequence = static_cast<int>(std::upper_bound(begin, end, item) - begin) - 1;
  const int first = (item - plan.items[sequence]) * plan.run;
  const std::int64_t vector = std::int64_t{params.row_starts[sequence]} * params.num_heads + first;
  const int dim = params.latent_dim + params.rope_dim;
  return {.vectors = std::min(plan.run, VectorsOf(params, sequence) - first),
          .first_vector = first,
          .num_heads = params.num_heads,
          .rows = params.row_starts[sequence + 1] - params.row_starts[sequence],
          .length = params.lengths[sequence],
          .latent_dim = params.latent_dim,
          .rope_dim = params.rope_dim,
          .tokens_per_page = params.tokens_per_page,
          .softmax_scale = params.softmax_scale,
          .activation = params.activation,
          .cache_dtype = params.cache_dtype,
          .query = ElementAt(params.query, params.activation, vector * dim),
          .output = ElementAt(params.output, params.activation, vector * params.latent_dim),
          .table = params.block_table + std::int64_t{sequence} * params.max_pages,
          .pages = params.pages,
          .page_stride_bytes = params.page_stride_bytes};
}

}  // namespace

absl::Status CpuMlaDecode(const CpuLevel& level, const MlaDecodeParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  if (params.sequences == 0) return absl::OkStatus();
  MlaPlan plan{.params = params, .run = RunLength(params, stream.threads())};
  const auto entries = static_cast<std::size_t>(params.sequences) + 1;
  plan.items = reinterpret_cast<std::int32_t*>(
      stream.Scratch(stream.SharedSlot(0), entries * sizeof(std::int32_t)));
  plan.items[0] = 0;
  for (int s = 0; s < params.sequences; ++s) {
    plan.items[s + 1] = plan.items[s] + (VectorsOf(params, s) + plan.run - 1) / plan.run;
  }
  stream.ForEach(plan.items[params.sequences], [&](int worker, int item) {
    MlaTileJob job = JobOf(plan, item);
    job.scratch = ScratchFloats(stream, worker, level.mla_scratch_floats(job));
    level.mla_tile(job);
  });
  return absl::OkStatus();
}

}  // namespace baton
