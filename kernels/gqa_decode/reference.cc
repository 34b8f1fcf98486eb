#include <vector>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/common/fp8_page.h"
#include "kernels/common/softmax.h"
#include "kernels/gqa_decode/gqa_decode.h"

namespace baton {
namespace {

// One query vector: a head of a row of a sequence.
struct Query {
  int sequence = 0;
  int head = 0;
  int length = 0;       // tokens that it sees
  std::int64_t at = 0;  // element 0 of it, in query and output
};

// Element `i` of a token's key, or `plane` planes behind it: its value is kv_heads behind its key.
double LoadVector(const GqaDecodeParams& params, const Query& query, int token, int plane, int i) {
  const std::int64_t entry =
      std::int64_t{query.sequence} * params.max_pages + token / params.tokens_per_page;
  const int place = token % params.tokens_per_page;
  const int kv_head = query.head / (params.num_heads / params.kv_heads);
  const std::byte* rows =
      params.pages +
      static_cast<std::size_t>(params.block_table[entry]) * params.page_stride_bytes +
      static_cast<std::size_t>(kv_head + plane) * params.PlaneBytes();
  if (params.cache_dtype == DType::kFp8E4m3) {
    return LoadFp8Head({params.tokens_per_page, params.head_dim}, rows, place, i);
  }
  return LoadElement(rows, params.cache_dtype, std::int64_t{place} * params.head_dim + i);
}

double Score(const GqaDecodeParams& params, const Query& query, int token) {
  double sum = 0;
  for (int i = 0; i < params.head_dim; ++i) {
    sum += double{LoadElement(params.query, params.activation, query.at + i)} *
           LoadVector(params, query, token, 0, i);
  }
  return sum * double{params.softmax_scale};
}

void Attend(const GqaDecodeParams& params, const Query& query) {
  std::vector<double> weights;
  for (int t = 0; t < query.length; ++t) weights.push_back(Score(params, query, t));
  const double sum = query.length > 0 ? WeighScores(weights) : 1.0;
  std::vector<double> output(static_cast<std::size_t>(params.head_dim), 0.0);
  for (int t = 0; t < query.length; ++t) {
    const double weight = weights[static_cast<std::size_t>(t)];
    for (int i = 0; i < params.head_dim; ++i) {
      output[static_cast<std::size_t>(i)] +=
          weight * LoadVector(params, query, t, params.kv_heads, i);
    }
  }
  for (int i = 0; i < params.head_dim; ++i) {
    StoreElement(params.output, params.activation, query.at + i,
                 static_cast<float>(output[static_cast<std::size_t>(i)] / sum));
  }
}

}  // namespace

absl::Status ReferenceGqaDecode(const GqaDecodeParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  for (int s = 0; s < params.sequences; ++s) {
    const int first_row = params.row_starts[s];
    const int rows = params.row_starts[s + 1] - first_row;
    stream.ParallelFor(rows * params.num_heads, [&, s](int first, int last) {
      for (int vector = first; vector < last; ++vector) {
        const int row = vector / params.num_heads;
        const std::int64_t at = std::int64_t{first_row} * params.num_heads + vector;
        Attend(params, {.sequence = s,
                        .head = vector % params.num_heads,
                        .length = params.lengths[s] - (rows - 1 - row),
                        .at = at * params.head_dim});
      }
    });
  }
  return absl::OkStatus();
}

}  // namespace baton
