#include "kernels/backend.h"

namespace baton {

const Backend& ReferenceBackend() {
  static constexpr Backend kBackend{
      .name = "reference",
      .isa = "reference",
      .kernel_revision = 1,
      .embed = ReferenceEmbed,
      .rms_norm = ReferenceRmsNorm,
      .gemm = ReferenceGemm,
      .mla_append = ReferenceMlaAppend,
      .mla_decode = ReferenceMlaDecode,
      .gqa_append = ReferenceGqaAppend,
      .gqa_decode = ReferenceGqaDecode,
      .silu_mul = ReferenceSiluMul,
      .route_experts = ReferenceRouteExperts,
      .expert_ffn = ReferenceExpertFfn,
  };
  return kBackend;
}

}  // namespace baton
