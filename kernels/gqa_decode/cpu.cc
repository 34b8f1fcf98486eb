#include "base/status.h"
#include "kernels/common/fp8_page.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/drivers.h"

namespace baton {

absl::Status CpuGqaDecode(const CpuLevel& level, const GqaDecodeParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  AttentionWork work{
      .sequences = params.sequences,
      .num_heads = params.num_heads,
      .kv_heads = params.kv_heads,
      .key_dim = params.head_dim,
      .value_dim = params.head_dim,
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
      .head_stride_bytes = params.PlaneBytes(),
      .value_offset_bytes = static_cast<std::size_t>(params.kv_heads) * params.PlaneBytes(),
      .value_row_dim = params.head_dim,
      .output = params.output};
  if (params.cache_dtype == DType::kFp8E4m3) {
    work.fp8_dim = params.head_dim;
    work.fp8_block = params.head_dim;
    work.fp8_scale_offset_bytes =
        Fp8HeadPlane{params.tokens_per_page, params.head_dim}.ScaleOffset();
  }
  return RunAttention(level, work, stream);
}

}  // namespace baton
