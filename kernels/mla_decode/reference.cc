#include <vector>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/common/fp8_page.h"
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

// Element `i` of a token's row [latent | rope].
double LoadRow(const MlaDecodeParams& params, int sequence, int token, int i) {
  const std::int64_t entry =
      std::int64_t{sequence} * params.max_pages + token / params.tokens_per_page;
  const int place = token % params.tokens_per_page;
  const std::byte* layer =
      params.pages + static_cast<std::size_t>(params.block_table[entry]) * params.page_stride_bytes;
  if (params.cache_dtype == DType::kFp8E4m3) {
    return LoadFp8Latent({params.tokens_per_page, params.latent_dim, params.rope_dim}, layer, place,
                         i);
  }
  const std::int64_t row = std::int64_t{place} * (params.latent_dim + params.rope_dim);
  return LoadElement(layer, params.cache_dtype, row + i);
}

double Score(const MlaDecodeParams& params, const Query& query, int token) {
  const int dim = params.latent_dim + params.rope_dim;
  double sum = 0;
  for (int i = 0; i < dim; ++i) {
    sum += double{LoadElement(params.query, params.activation, query.vector * dim + i)} *
           LoadRow(params, query.sequence, token, i);
  }
  return sum * double{params.softmax_scale};
}

void Attend(const MlaDecodeParams& params, const Query& query) {
  std::vector<double> weights;
  for (int t = 0; t < query.length; ++t) weights.push_back(Score(params, query, t));
  const double sum = query.length > 0 ? WeighScores(weights) : 1.0;
  std::vector<double> output(static_cast<std::size_t>(params.latent_dim), 0.0);
  for (int t = 0; t < query.length; ++t) {
    const double weight = weights[static_cast<std::size_t>(t)];
    for (int i = 0; i < params.latent_dim; ++i) {
      output[static_cast<std::size_t>(i)] += weight * LoadRow(params, query.sequence, t, i);
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
