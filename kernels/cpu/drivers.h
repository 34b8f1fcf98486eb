// The vectorised operations, given a level: they check, cut the work into items that do not touch
// each other, provide scratch and call leaves. How the work is cut never changes a bit.
#pragma once

#include "absl/status/status.h"
#include "kernels/cpu/level.h"
#include "kernels/expert_ffn/expert_ffn.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gqa_decode/gqa_decode.h"
#include "kernels/mla_append/mla_append.h"
#include "kernels/mla_decode/mla_decode.h"
#include "kernels/rms_norm/rms_norm.h"
#include "kernels/silu_mul/silu_mul.h"
#include "kernels/stream.h"

namespace baton {

absl::Status CpuGemm(const CpuLevel& level, const GemmParams& params, Stream& stream);
/// CpuGemm of checked params, m > 0, where a and b are bf16 and the level has pairs.
void CpuGemmPairs(const CpuLevel& level, const GemmParams& params, Stream& stream);
absl::Status CpuRmsNorm(const CpuLevel& level, const RmsNormParams& params, Stream& stream);
absl::Status CpuMlaAppend(const CpuLevel& level, const MlaAppendParams& params, Stream& stream);
absl::Status CpuMlaDecode(const CpuLevel& level, const MlaDecodeParams& params, Stream& stream);
absl::Status CpuGqaDecode(const CpuLevel& level, const GqaDecodeParams& params, Stream& stream);
absl::Status CpuSiluMul(const CpuLevel& level, const SiluMulParams& params, Stream& stream);
absl::Status CpuExpertFfn(const CpuLevel& level, const ExpertFfnParams& params, Stream& stream);
/// CpuExpertFfn of checked params, tokens > 0, where all is bf16 and the level has pairs.
void CpuExpertFfnPairs(const CpuLevel& level, const ExpertFfnParams& params, Stream& stream);

/// Scratch of `slot` as floats.
inline float* ScratchFloats(Stream& stream, int slot, std::size_t count) {
  return reinterpret_cast<float*>(stream.Scratch(slot, count * sizeof(float)));
}

/// Floats between rows of a widened matrix: whole cache lines, an odd number, so that the rows of a
/// tile fall into different sets of the cache.
inline std::int64_t WideRowStride(int count) {
  constexpr int kFloatsALine = 16;
  return std::int64_t{((count + kFloatsALine - 1) / kFloatsALine) | 1} * kFloatsALine;
}

}  // namespace baton
