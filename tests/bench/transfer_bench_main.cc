// The transfer bench alone.
#include "tests/bench/transfer_bench.h"

int main(int argc, char** argv) { return baton::TransferBench(argc, argv); }
