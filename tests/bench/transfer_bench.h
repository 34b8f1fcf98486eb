// How fast pages move between two processes, as a share of what this machine gives in the same run:
// shared memory against a plain scattered copy, TCP against a plain socket, four sessions against
// one; and what a hand-off costs beside its bytes.
#pragma once

namespace baton::bench {

/// Options: --rounds N (7), --mib N a round (256), --frame BYTES (what serving takes), --page BYTES
/// (294912), --plot FILE.svg, --json. Prints a table or JSON on stdout. Returns 0 when all bars are
/// met, 1 when one is not, 2 when the measurement failed or the options are wrong.
int TransferBench(int argc, char** argv);

}  // namespace baton::bench
