#include "kernels/mla_decode/mla_decode.h"

#include "base/status.h"
#include "kernels/common/fp8_page.h"
#include "kernels/common/paged_rows.h"
#include "kernels/common/param_check.h"

namespace baton {
namespace {

// Of one token in a layer of a page.
std::size_t RowBytes(const MlaDecodeParams& params) {
  if (params.cache_dtype == DType::kFp8E4m3) {
    const Fp8LatentPage page{params.tokens_per_page, params.latent_dim, params.rope_dim};
    return static_cast<std::size_t>(params.latent_dim) + page.RopeBytes() + page.ScaleBytes();
  }
  return static_cast<std::size_t>(params.latent_dim + params.rope_dim) *
         BytesOf(params.cache_dtype);
}

}  // namespace

Cost CostOf(const MlaDecodeParams& params) {
  const double row_dim = params.latent_dim + params.rope_dim;
  const double row_bytes = static_cast<double>(RowBytes(params));
  const double io = row_dim + params.latent_dim;  // a query in, an output out
  const PagedRowCounts counts = CountPagedRows(params);
  return {.bytes = counts.tokens * row_bytes + counts.rows * params.num_heads * io *
                                                   static_cast<double>(BytesOf(params.activation)),
          .flops = 2 * io * params.num_heads * counts.pairs};
}

absl::Status Check(const MlaDecodeParams& params) {
  constexpr absl::string_view kName = "mla_decode";
  BATON_RETURN_IF_ERROR(Require(params.num_heads > 0, kName, "num_heads > 0"));
  BATON_RETURN_IF_ERROR(Require(params.latent_dim > 0, kName, "latent_dim > 0"));
  BATON_RETURN_IF_ERROR(Require(params.rope_dim >= 0, kName, "rope_dim >= 0"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.activation), kName, "activation in {bf16, fp16, fp32}"));
  return CheckPagedRows(params, kName);
}

}  // namespace baton
