// How fast pages move between two processes, as a share of what this machine gives in the same run:
// shared memory against a plain scattered copy, TCP against a plain socket.
#pragma once

namespace baton {

/// Options: --rounds N (7), --mib N a round (256), --frame BYTES (36864), --page BYTES (73728),
/// --json. Prints a table or JSON on stdout. Returns 0 when both bars are met, 1 when one is not,
/// 2 when the measurement failed or the options are wrong.
int TransferBench(int argc, char** argv);

}  // namespace baton
