// `baton bench router`: decisions a second and their latency by fleet size, the code that serves
// beside the plain prefetched walk, in one run.
#pragma once

namespace baton::bench {

/// argv[0] is the workload's name. Returns the exit code of tests/bench/main.cc.
int RouterBench(int argc, char** argv);

}  // namespace baton::bench
