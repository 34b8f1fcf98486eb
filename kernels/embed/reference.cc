#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/embed/embed.h"

namespace baton {

absl::Status ReferenceEmbed(const EmbedParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  stream.ParallelFor(params.tokens, [&params](int first, int last) {
    for (int t = first; t < last; ++t) {
      const std::int64_t source = std::int64_t{params.ids[t]} * params.hidden;
      const std::int64_t target = std::int64_t{t} * params.hidden;
      for (int i = 0; i < params.hidden; ++i) {
        const float value = LoadElement(params.table, params.table_dtype, source + i);
        StoreElement(params.out, params.activation, target + i, value);
      }
    }
  });
  return absl::OkStatus();
}

}  // namespace baton
