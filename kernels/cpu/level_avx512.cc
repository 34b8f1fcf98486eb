#include "kernels/cpu/leaves.h"
#include "kernels/cpu/vec_avx512.h"

namespace baton {

constinit const CpuLevel kAvx512Level = Leaves<Avx512Vec>::Table("avx512");

}  // namespace baton
