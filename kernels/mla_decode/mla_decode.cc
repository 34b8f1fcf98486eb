#include "kernels/mla_decode/mla_decode.h"

#include "base/status.h"
#include "kernels/common/param_check.h"

namespace baton {
namespace {

absl::Status CheckSequence(const MlaDecodeParams& params, int sequence) {
  constexpr absl::string_view kName = "mla_decode";
  const int rows = params.row_starts[sequence + 1] - params.row_starts[sequence];
  const int length = params.lengths[sequence];
  BATON_RETURN_IF_ERROR(Require(rows >= 0, kName, "row_starts ascending"));
  BATON_RETURN_IF_ERROR(Require(length >= rows, kName, "lengths[s] >= rows of s"));
  const int pages = (length + params.tokens_per_page - 1) / params.tokens_per_page;
  BATON_RETURN_IF_ERROR(Require(pages <= params.max_pages, kName, "lengths[s] within max_pages"));
  const std::int32_t* table = params.block_table + std::int64_t{sequence} * params.max_pages;
  for (int page = 0; page < pages; ++page) {
    BATON_RETURN_IF_ERROR(Require(table[page] >= 0, kName, "a page below every visible token"));
  }
  return absl::OkStatus();
}

}  // namespace

Cost CostOf(const MlaDecodeParams& params) {
  const double row_dim = params.latent_dim + params.rope_dim;
  const double row_bytes = row_dim * static_cast<double>(BytesOf(params.cache_dtype));
  const double io = row_dim + params.latent_dim;  // a query in, an output out
  double tokens = 0;                              // read once a sequence
  double rows = 0;
  double pairs = 0;  // visible (row, token) pairs
  for (int s = 0; s < params.sequences; ++s) {
    const double count = params.row_starts[s + 1] - params.row_starts[s];
    if (count == 0) continue;
    tokens += params.lengths[s];
    rows += count;
    pairs += count * params.lengths[s] - count * (count - 1) / 2;
  }
  return {.bytes = tokens * row_bytes +
                   rows * params.num_heads * io * static_cast<double>(BytesOf(params.activation)),
          .flops = 2 * io * params.num_heads * pairs};
}

absl::Status Check(const MlaDecodeParams& params) {
  constexpr absl::string_view kName = "mla_decode";
  BATON_RETURN_IF_ERROR(Require(params.sequences >= 0, kName, "sequences >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.num_heads > 0, kName, "num_heads > 0"));
  BATON_RETURN_IF_ERROR(Require(params.latent_dim > 0, kName, "latent_dim > 0"));
  BATON_RETURN_IF_ERROR(Require(params.rope_dim >= 0, kName, "rope_dim >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.tokens_per_page > 0, kName, "tokens_per_page > 0"));
  BATON_RETURN_IF_ERROR(
      Require(IsActivation(params.activation), kName, "activation in {bf16, fp32}"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.cache_dtype), kName, "cache_dtype in {bf16, fp16, fp32}"));
  for (int s = 0; s < params.sequences; ++s) BATON_RETURN_IF_ERROR(CheckSequence(params, s));
  return absl::OkStatus();
}

}  // namespace baton
