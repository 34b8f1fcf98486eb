#include "kernels/cpu/leaves.h"
#include "kernels/cpu/vec_avx2.h"

namespace baton {

constinit const CpuLevel kAvx2Level = Leaves<Avx2Vec>::Table("avx2");

}  // namespace baton
