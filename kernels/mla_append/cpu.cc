// Norm and rotation by rows. Pages of fp8 and rotary parts of odd sizes take the plain loops: the
// first are quantised value by value, the second are no released model's.
#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/common/page_address.h"
#include "kernels/cpu/drivers.h"

namespace baton {
namespace {

constexpr int kPairsStep = 8;  // of RotateRowJob

class AppendToken {
 public:
  AppendToken(const CpuLevel& level, const MlaAppendParams& params, std::int64_t token)
      : level_(level), params_(params), token_(token) {}

  void RotateQueries() const {
    const std::int64_t width = params_.nope_dim + params_.rope_dim;
    const std::int64_t to_width = params_.latent_dim + params_.rope_dim;
    for (std::int64_t head = 0; head < params_.num_heads; ++head) {
      const std::int64_t vector = token_ * params_.num_heads + head;
      Rotate(ElementAt(params_.q, params_.activation, vector * width + params_.nope_dim),
             ElementAt(params_.query, params_.activation, vector * to_width + params_.latent_dim),
             params_.activation);
    }
  }

  void AppendKey() const {
    const std::int64_t width = params_.latent_dim + params_.rope_dim;
    const PageGeometry geometry{
        .tokens_per_page = params_.tokens_per_page,
        .page_stride_bytes = params_.page_stride_bytes,
        .token_bytes = static_cast<std::size_t>(width) * BytesOf(params_.cache_dtype)};
    std::byte* row = params_.pages + geometry.OffsetOfSlot(params_.slots[token_]);
    const std::byte* kv = ElementAt(params_.kv, params_.activation, token_ * width);
    level_.norm_row({.dim = params_.latent_dim,
                     .epsilon = params_.epsilon,
                     .activation = params_.activation,
                     .weight_dtype = params_.weight_dtype,
                     .out_dtype = params_.cache_dtype,
                     .residual = kv,
                     .weight = params_.latent_weight,
                     .out = row});
    Rotate(ElementAt(kv, params_.activation, params_.latent_dim),
           ElementAt(row, params_.cache_dtype, params_.latent_dim), params_.cache_dtype);
  }

 private:
  void Rotate(const void* from, void* to, DType to_dtype) const {
    const int pairs = params_.rope_dim / 2;
    const std::int64_t angles = std::int64_t{params_.positions[token_]} * pairs;
    level_.rotate_row({.pairs = pairs,
                       .activation = params_.activation,
                       .to_dtype = to_dtype,
                       .from = from,
                       .to = to,
                       .cos = params_.cos + angles,
                       .sin = params_.sin + angles});
  }

  const CpuLevel& level_;
  const MlaAppendParams& params_;
  const std::int64_t token_;
};

}  // namespace

absl::Status CpuMlaAppend(const CpuLevel& level, const MlaAppendParams& params, Stream& stream) {
  if (params.cache_dtype == DType::kFp8E4m3 || params.rope_dim % (2 * kPairsStep) != 0) {
    return ReferenceMlaAppend(params, stream);
  }
  BATON_RETURN_IF_ERROR(Check(params));
  stream.ParallelFor(params.tokens, [&](int first, int last) {
    for (int token = first; token < last; ++token) {
      const AppendToken append(level, params, token);
      append.RotateQueries();
      if (params.slots[token] >= 0) append.AppendKey();
    }
  });
  return absl::OkStatus();
}

}  // namespace baton
