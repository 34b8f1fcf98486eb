#include "base/status.h"
#include "kernels/common/fp8_page.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/drivers.h"

namespace baton {

absl::Status CpuMlaDecode(const CpuLevel& level, const MlaDecodeParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  AttentionWork work{.sequences = params.sequences,
                     .num_heads = params.num_heads,
                     .key_dim = params.latent_dim + params.rope_dim,
                     .value_dim = params.latent_dim,
                     .tokens_per_page = params.tokens_per_page,
                     .softmax_scale = params.softmax_scale,
                     .activation = params.activation,
                     .cache_dtype = params.cache_dtype,
                     .row_starts = params.row_starts,
                     .lengths = params.lengths,
                     .block_table = params.block_table,
                     .max_pages = params.max_pages,
                     .query = params.query,
                     .pages = params.pages,
                     .page_stride_bytes = params.page_stride_bytes,
                     .value_row_dim = params.latent_dim + params.rope_dim,
                     .output = params.output};
  if (params.cache_dtype == DType::kFp8E4m3) {
    const Fp8LatentPage page{params.tokens_per_page, params.latent_dim, params.rope_dim};
    work.fp8_dim = params.latent_dim;
    work.fp8_block = kFp8Block;
    work.fp8_scale_offset_bytes = page.ScaleOffset();
    work.fp8_key_rest_offset_bytes = page.RopeOffset();
  }
  return RunAttention(level, work, stream);
}

}  // namespace baton
