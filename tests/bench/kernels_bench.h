// `baton bench kernels`: products and attention against what the machine gave in the same run.
#pragma once

namespace baton::bench {

/// Arguments after the program's name: [--isa auto|avx512|avx2] [--threads N]. Prints a table;
/// returns the process's exit code.
int KernelsBench(int argc, char** argv);

}  // namespace baton::bench
