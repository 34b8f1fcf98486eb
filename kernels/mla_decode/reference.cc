#include <vector>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/common/page_address.h"
#include "kernels/common/softmax.h"
#include "kernels/mla_decode/mla_decode.h"

namespace baton {
namespace {

// One query vector: a head of a row of a sequence.
struct Query {
  int sequence = 0;
  int length = 0;           // tokens that it sees
  std::int64_t vector = 0;  // row * num_heads + head
};

const std::byte* TokenRow(const MlaDecodeParams& params, int sequence, int token) {
  const PageGeometry geometry{
      .tokens_per_page = params.tokens_per_page,
      .page_stride_bytes = params.page_stride_bytes,
      .token_bytes = static_cast<std::size_t>(params.latent_dim + params.rope_dim) *
                     BytesOf(params.cache_dtype)};
  const std::int64_t entry =
      std::int64_t{sequence} * params.max_pages + token / params.tokens_per_page;
  return params.pages +
         geometry.OffsetOf(params.block_table[entry], token % params.tokens_per_page);
}

double Score(const MlaDecodeParams& params, const Query& query, int token) {
  const int dim = params.latent_dim + params.rope_dim;
  const std::byte* key = TokenRow(params, query.sequence, token);
  double sum = 0;
  for (int i = 0; i < dim; ++i) {
    sum += double{LoadElement(params.query, params.activation, query.vector * dim + i)} *
           double{LoadElement(key, params.cache_dtype, i)};
  }
  return sum * double{params.softmax_scale};
}

void Attend(const MlaDecodeParams& params, const Query& query) {
  std::vector<double> weights;
  for (int t = 0; t < query.length; ++t) weights.push_back(Score(params, query, t));
  const double sum = query.length > 0 ? WeighScores(weights) : 1.0;
  std::vector<double> output(static_cast<std::size_t>(params.latent_dim), 0.0);
  for (int t = 0; t < query.length; ++t) {
    const std::byte* value = TokenRow(params, query.sequence, t);
    const double weight = weights[static_cast<std::size_t>(t)];
    for (int i = 0; i < params.latent_dim; ++i) {
      output[static_cast<std::size_t>(i)] +=
          weight * double{LoadElement(value, params.cache_dtype, i)};
    }
  }
  for (int i = 0; i < params.latent_dim; ++i) {
    StoreElement(params.output, params.activation, query.vector * params.latent_dim + i,
                 static_cast<float>(output[static_cast<std::size_t>(i)] / sum));
  }
}

}  // namespace

absl::Status ReferenceMlaDecode(const MlaDecodeParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  for (int s = 0; s < params.sequences; ++s) {
    const int first_row = params.row_starts[s];
    const int rows = params.row_starts[s + 1] - first_row;
    stream.ParallelFor(rows * params.num_heads, [&, s](int first, int last) {
      for (int vector = first; vector < last; ++vector) {
        const int row = vector / params.num_heads;
        Attend(params, {.sequence = s,
                        .length = params.lengths[s] - (rows - 1 - row),
                        .vector = std::int64_t{first_row} * params.num_heads + vector});
      }
    });
  }
  return absl::OkStatus();
}

}  // namespace baton
