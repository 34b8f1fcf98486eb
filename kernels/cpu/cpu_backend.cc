#include "kernels/backend.h"
#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/drivers.h"

namespace baton {
namespace {

// Operations that move bytes or route a few numbers run the plain loops at every level: they are
// below a hundredth of a step.
template <const CpuLevel& kLevel>
const Backend& BackendOf(const char* isa) {
  static const Backend backend{
      .name = "cpu",
      .isa = isa,
      .kernel_revision = 2,
      .embed = ReferenceEmbed,
      .rms_norm = [](const RmsNormParams& p, Stream& s) { return CpuRmsNorm(kLevel, p, s); },
      .gemm = [](const GemmParams& p, Stream& s) { return CpuGemm(kLevel, p, s); },
      .mla_append = [](const MlaAppendParams& p, Stream& s) { return CpuMlaAppend(kLevel, p, s); },
      .mla_decode = [](const MlaDecodeParams& p, Stream& s) { return CpuMlaDecode(kLevel, p, s); },
      .gqa_append = ReferenceGqaAppend,
      .gqa_decode = [](const GqaDecodeParams& p, Stream& s) { return CpuGqaDecode(kLevel, p, s); },
      .silu_mul = [](const SiluMulParams& p, Stream& s) { return CpuSiluMul(kLevel, p, s); },
      .route_experts = ReferenceRouteExperts,
      .expert_ffn = [](const ExpertFfnParams& p, Stream& s) { return CpuExpertFfn(kLevel, p, s); },
  };
  return backend;
}

}  // namespace

const Backend* CpuBackend(absl::string_view isa) {
  const bool any = isa == "auto";
  if ((any || isa == "avx512_bf16") && HasAvx512Bf16()) {
    return &BackendOf<kAvx512Bf16Level>("avx512_bf16");
  }
  if ((any || isa == "avx512") && HasAvx512()) return &BackendOf<kAvx512Level>("avx512");
  if ((any || isa == "avx2") && HasAvx2()) return &BackendOf<kAvx2Level>("avx2");
  if (any || isa == "reference") return &ReferenceBackend();
  return nullptr;
}

}  // namespace baton
