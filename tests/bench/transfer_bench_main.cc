// The transfer bench alone.
#include "transfer_bench.h"

int main(int argc, char** argv) { return baton::TransferBench(argc, argv); }
