// The seam between the model and the machine: every operation the model needs, as a table of
// functions chosen once at start (no virtual call and no #ifdef inside an operation).
//
// Backends: ReferenceBackend(), plain loops, the definition of correct; CpuBackend(isa), AVX2 and
// AVX-512 chosen at run time. tests/kernels compares every backend with the reference on generated
// shapes.
//
// Promises of every operation here:
//  - a row of the result depends on that row's inputs alone: not on the batch, its place, the
//    number of threads, how tokens were cut into chunks, or which page numbers were used.
//    Reductions over K and over tokens run in an order fixed by position.
//  - rows, tokens and table entries past the stated lengths are neither read nor written.
//  - sums are taken in fp32 (reference: double where it says so) and cast once.
// `activation` is bf16, fp16, or fp32 to be held to an oracle. Strides are in elements unless they say
// bytes; offsets are 64-bit.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "kernels/embed/embed.h"
#include "kernels/expert_ffn/expert_ffn.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gqa_append/gqa_append.h"
#include "kernels/gqa_decode/gqa_decode.h"
#include "kernels/mla_append/mla_append.h"
#include "kernels/mla_decode/mla_decode.h"
#include "kernels/rms_norm/rms_norm.h"
#include "kernels/route_experts/route_experts.h"
#include "kernels/silu_mul/silu_mul.h"
#include "kernels/stream.h"

namespace baton {

/// Every operation returns InvalidArgument for shapes it does not run; Supports-style checks happen
/// at start, by running the model's shapes once.
struct Backend {
  const char* name;     // "reference", "cpu"
  const char* isa;      // "reference", "avx2", "avx512": part of the exact-mode fingerprint
  int kernel_revision;  // bumped when bits change; part of the exact-mode fingerprint
  absl::Status (*embed)(const EmbedParams&, Stream&);
  absl::Status (*rms_norm)(const RmsNormParams&, Stream&);
  absl::Status (*gemm)(const GemmParams&, Stream&);
  absl::Status (*mla_append)(const MlaAppendParams&, Stream&);
  absl::Status (*mla_decode)(const MlaDecodeParams&, Stream&);
  absl::Status (*gqa_append)(const GqaAppendParams&, Stream&);
  absl::Status (*gqa_decode)(const GqaDecodeParams&, Stream&);
  absl::Status (*silu_mul)(const SiluMulParams&, Stream&);
  absl::Status (*route_experts)(const RouteExpertsParams&, Stream&);
  absl::Status (*expert_ffn)(const ExpertFfnParams&, Stream&);
};

const Backend& ReferenceBackend();

/// The CPU backend for `isa`: "auto" takes the best this machine has; "avx512", "avx2", "reference"
/// pin one. Null when the machine lacks it or the name is unknown.
const Backend* CpuBackend(absl::string_view isa);

}  // namespace baton
