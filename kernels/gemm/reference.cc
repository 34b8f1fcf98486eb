#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/gemm/gemm.h"

namespace baton {
namespace {

double Dot(const GemmParams& params, std::int64_t a, std::int64_t b) {
  double sum = 0;
  for (int k = 0; k < params.k; ++k) {
    sum += double{LoadElement(params.a, params.a_dtype, a + k)} *
           double{LoadElement(params.b, params.b_dtype, b + k)};
  }
  return sum;
}

// `row` counts rows of all products: product * m + row of the product.
void GemmRow(const GemmParams& params, int row) {
  const std::int64_t product = row / params.m;
  const std::int64_t r = row % params.m;
  const std::int64_t a = product * params.a_batch_stride + r * params.ARowStride();
  const std::int64_t c = product * params.c_batch_stride + r * params.CRowStride();
  for (int n = 0; n < params.n; ++n) {
    const std::int64_t b = product * params.b_batch_stride + n * params.BRowStride();
    double sum = Dot(params, a, b);
    if (params.bias != nullptr) sum += double{LoadElement(params.bias, params.b_dtype, n)};
    StoreElement(params.c, params.c_dtype, c + n, static_cast<float>(sum));
  }
}

}  // namespace

absl::Status ReferenceGemm(const GemmParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  stream.ParallelFor(params.m * params.batch, [&params](int first, int last) {
    for (int row = first; row < last; ++row) GemmRow(params, row);
  });
  return absl::OkStatus();
}

}  // namespace baton
