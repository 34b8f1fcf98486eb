// `baton bench cpu`: whole steps of a model on this machine's processors, each as a share of what
// the machine gave in the same minute.
#pragma once

namespace baton::bench {

/// Returns 0; 2 where the options are wrong or a step fails; 3 when the machine changed by more
/// than a tenth around a cell, twice, so that the cell says nothing.
int CpuBench(int argc, char** argv);

}  // namespace baton::bench
