// Rows of a table by token id.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "base/dtype.h"
#include "kernels/common/cost.h"
#include "kernels/stream.h"

namespace baton {

/// out[t][:] = table[ids[t]][:]
struct EmbedParams {
  int tokens = 0;
  int hidden = 0;
  DType table_dtype = DType::kBf16;
  DType activation = DType::kBf16;
  const std::int32_t* ids = nullptr;  // [tokens]
  const void* table = nullptr;        // [vocab][hidden]
  void* out = nullptr;                // [tokens][hidden] activation
};

/// At best, for these parameters.
Cost CostOf(const EmbedParams& params);

/// Errors: InvalidArgument for a shape or type that no backend runs, by name.
absl::Status Check(const EmbedParams& params);

/// Plain loops: the definition of correct.
absl::Status ReferenceEmbed(const EmbedParams& params, Stream& stream);

}  // namespace baton
