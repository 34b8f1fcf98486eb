#include "kernels/cpu/leaves.h"
#include "kernels/cpu/vec_avx512_bf16.h"

namespace baton {

constinit const CpuLevel kAvx512Bf16Level = Leaves<Avx512Bf16Vec>::TableWithPairs("avx512_bf16");

}  // namespace baton
