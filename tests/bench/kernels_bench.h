// `baton bench kernels`: products and attention against what the machine gave in the same run.
#pragma once

namespace baton::bench {

/// Arguments after the program's name: [--isa LEVEL] [--threads N] [--clock wall|cpu]. Prints a
/// table; returns the process's exit code.
int KernelsBench(int argc, char** argv);

}  // namespace baton::bench
