#include "kernels/embed/embed.h"

#include "base/status.h"
#include "kernels/common/param_check.h"

namespace baton {

Cost CostOf(const EmbedParams& params) {
  const double elements = static_cast<double>(params.tokens) * params.hidden;
  const double bytes_each =
      static_cast<double>(BytesOf(params.table_dtype) + BytesOf(params.activation));
  return {.bytes = elements * bytes_each, .flops = 0};
}

absl::Status Check(const EmbedParams& params) {
  constexpr absl::string_view kName = "embed";
  BATON_RETURN_IF_ERROR(Require(params.tokens >= 0, kName, "tokens >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.hidden > 0, kName, "hidden > 0"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.activation), kName, "activation in {bf16, fp16, fp32}"));
  return Require(IsStorage(params.table_dtype), kName, "table_dtype in {bf16, fp16, fp32}");
}

}  // namespace baton
