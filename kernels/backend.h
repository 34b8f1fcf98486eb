// The seam between the model and the machine: every operation the model needs, as a table of
// functions chosen once at start (no virtual call and no #ifdef inside an operation).
//
// Backends: ReferenceBackend(), plain loops, the definition of correct; CpuBackend(isa), AVX2 and
// AVX-512 chosen at run time. tests/kernels compares every backend with the reference on generated
// shapes.
//
// Promises of every operation here:
//  - a row of the result depends on that row's inputs alone: not on the batch, its place, the
//  number
//    of threads, how tokens were cut into chunks, or which page numbers were used. Reductions over
//    K and over tokens run in an order fixed by position.
//  - rows, tokens and table entries past the stated lengths are neither read nor written.
//  - sums are taken in fp32 (reference: double where it says so) and cast once.
// `activation` is bf16, or fp32 to be held to an oracle. Strides are in elements unless they say
// bytes; offsets are 64-bit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/dtype.h"
#include "kernels/stream.h"

namespace baton {

/// Bytes that must move and operations that must be done, at best: the roofline's two inputs.
struct Cost {
  double bytes = 0;
  double flops = 0;
};

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

/// residual += x (when x is given, rounded once to activation); out = residual / rms(residual) *
/// weight.
struct RmsNormParams {
  int rows = 0;
  int dim = 0;
  float epsilon = 1e-6F;
  DType activation = DType::kBf16;
  DType weight_dtype = DType::kBf16;
  const void* x = nullptr;       // [rows][dim] activation, or null: nothing is added
  void* residual = nullptr;      // [rows][residual_stride] activation; only written when x is given
  const void* weight = nullptr;  // [dim]
  void* out = nullptr;           // [rows][out_stride] activation
  std::int64_t residual_stride = 0;  // elements between rows; 0 = dim
  std::int64_t out_stride = 0;       // elements between rows; 0 = dim
};

/// c[i][r][n] = sum_k a[i][r][k] * b[i][n][k] (+ bias[n]), for each i in batch.
struct GemmParams {
  int m = 0;
  int n = 0;
  int k = 0;
  int batch = 1;  // independent products, for example one a head
  DType a_dtype = DType::kBf16;
  DType b_dtype = DType::kBf16;
  DType c_dtype = DType::kBf16;  // bf16 or fp32
  const void* a = nullptr;       // [batch][m][k], strides below
  const void* b = nullptr;       // [batch][n][k], as a checkpoint stores a Linear
  const void* bias = nullptr;    // [n] of b_dtype, or null
  void* c = nullptr;             // [batch][m][n]
  std::int64_t a_row_stride = 0, a_batch_stride = 0;  // row stride 0 = k
  std::int64_t b_row_stride = 0, b_batch_stride = 0;  // row stride 0 = k
  std::int64_t c_row_stride = 0, c_batch_stride = 0;  // row stride 0 = n
};

/// Normalises the latent, rotates the rope parts of keys and queries (interleaved pairs, as
/// DeepSeek's checkpoints), writes the latent and rope row of each token into its page.
struct MlaAppendParams {
  int tokens = 0;
  int num_heads = 0;
  int nope_dim = 0;
  int rope_dim = 0;
  int latent_dim = 0;
  int tokens_per_page = 0;
  float epsilon = 1e-6F;
  DType activation = DType::kBf16;
  DType weight_dtype = DType::kBf16;
  DType cache_dtype = DType::kBf16;
  const void* kv = nullptr;                 // [tokens][latent_dim + rope_dim] activation
  const void* q = nullptr;                  // [tokens][num_heads][nope_dim + rope_dim] activation
  const void* latent_weight = nullptr;      // [latent_dim], kv_a_layernorm
  const float* cos = nullptr;               // [positions][rope_dim / 2], mscale included
  const float* sin = nullptr;               // [positions][rope_dim / 2]
  const std::int32_t* positions = nullptr;  // [tokens]
  const std::int64_t* slots = nullptr;  // [tokens] page * tokens_per_page + offset; -1 = nowhere
  std::byte* pages = nullptr;           // this layer's part of page 0
  std::size_t page_stride_bytes = 0;    // KvLayout::PageBytes()
  void* query = nullptr;                // out: rope parts only, at [t][h][latent_dim ...] of
                                        // [tokens][num_heads][latent_dim + rope_dim] activation
};

/// Query tokens against their paged latent cache, in absorbed MLA form, causal.
/// Source: DeepSeek-V2 section 2.1.
struct MlaDecodeParams {
  int sequences = 0;
  int num_heads = 0;
  int latent_dim = 0;
  int rope_dim = 0;
  int tokens_per_page = 0;
  float softmax_scale = 0;  // multiplies q . k
  DType activation = DType::kBf16;
  DType cache_dtype = DType::kBf16;
  const std::int32_t* row_starts = nullptr;   // [sequences + 1]; rows of sequence s
  const std::int32_t* lengths = nullptr;      // [sequences] tokens that its last row sees, >= rows;
                                              // the row i before the last sees i fewer
  const std::int32_t* block_table = nullptr;  // [sequences][max_pages]; past the end: anything
  int max_pages = 0;
  const void* query = nullptr;       // [rows][num_heads][latent_dim + rope_dim] activation
  const std::byte* pages = nullptr;  // this layer's part of page 0
  std::size_t page_stride_bytes = 0;
  void* output = nullptr;  // [rows][num_heads][latent_dim] activation
};

/// out[t][i] = silu(gate_up[t][i]) * gate_up[t][inter + i]
struct SiluMulParams {
  int tokens = 0;
  int inter = 0;
  DType activation = DType::kBf16;
  const void* gate_up = nullptr;  // [tokens][2 * inter] activation
  void* out = nullptr;            // [tokens][inter] activation
};

enum class GateMethod { kGreedy, kGroupLimitedGreedy, kNoAuxTc };

/// Chooses experts. Masked groups are -inf; equal scores: lowest index.
/// Source: deepseek-ai/DeepSeek-V3 inference/model.py (class Gate); V2 remote code for the softmax
/// gates.
struct RouteExpertsParams {
  int tokens = 0;
  int experts = 0;
  int top_k = 0;
  int groups = 1;
  int top_k_groups = 1;
  GateMethod method = GateMethod::kGreedy;
  bool normalize = false;         // weights / (sum + 1e-20), when top_k > 1
  float scaling_factor = 1.0F;    // always multiplied
  const float* logits = nullptr;  // [tokens][experts]
  const float* bias = nullptr;    // [experts] e_score_correction_bias; kNoAuxTc only
  std::int32_t* ids = nullptr;    // [tokens][top_k], ascending expert index
  float* weights = nullptr;       // [tokens][top_k], of ids
};

/// out[t] = sum over chosen experts, in ascending index, of w * down(silu(gate x) * up x), +
/// shared[t]; summed in fp32, cast once.
struct ExpertFfnParams {
  int tokens = 0;
  int hidden = 0;
  int inter = 0;
  int experts = 0;
  int top_k = 0;
  DType activation = DType::kBf16;
  DType weight_dtype = DType::kBf16;
  const void* x = nullptr;            // [tokens][hidden] activation
  const std::int32_t* ids = nullptr;  // [tokens][top_k], ascending
  const float* weights = nullptr;     // [tokens][top_k]
  const void* const* gate = nullptr;  // [experts] pointers to [inter][hidden]
  const void* const* up = nullptr;    // [experts] pointers to [inter][hidden]
  const void* const* down = nullptr;  // [experts] pointers to [hidden][inter]
  const float* shared = nullptr;      // [tokens][hidden] fp32, or null
  void* out = nullptr;                // [tokens][hidden] activation
};

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
  absl::Status (*silu_mul)(const SiluMulParams&, Stream&);
  absl::Status (*route_experts)(const RouteExpertsParams&, Stream&);
  absl::Status (*expert_ffn)(const ExpertFfnParams&, Stream&);
};

const Backend& ReferenceBackend();

/// The CPU backend for `isa`: "auto" takes the best this machine has; "avx512", "avx2", "reference"
/// pin one. Null when the machine lacks it or the name is unknown.
const Backend* CpuBackend(absl::string_view isa);

}  // namespace baton
