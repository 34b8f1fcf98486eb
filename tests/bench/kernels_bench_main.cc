#include "tests/bench/kernels_bench.h"

int main(int argc, char** argv) { return baton::bench::KernelsBench(argc - 1, argv + 1); }
