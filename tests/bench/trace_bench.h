// `baton bench trace FILE`: recorded traffic through the router, schedulers and page pools that
// serve, in virtual time.
#pragma once

namespace baton::bench {

/// argv[0] is the workload's name. Returns the exit code of tests/bench/main.cc.
int TraceBench(int argc, char** argv);

}  // namespace baton::bench
