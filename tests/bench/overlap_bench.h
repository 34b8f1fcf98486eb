// How much of a hand-off shows behind the computation: exposed time against the whole time on the
// wire, over shared memory and TCP, with overlap and without it in the same run.
//
// The pages, both ends of the hand-off, their threads and the wire are those of serving. The
// computation is a timer: the shape (61 layers of MLA) is far beyond a CPU, and what it would
// compute does not matter to the wire.
#pragma once

namespace baton::bench {

/// Options: --tokens N (4096), --chunks N (4), --layers N (61), --layer-us N (2000) a layer and
/// chunk, --group N layers (8), --rounds N (5), --json. Returns 0 when all bars are met, 1 when one
/// is not, 2 when the measurement failed or the options are wrong, 3 when the machine was not calm.
int OverlapBench(int argc, char** argv);

}  // namespace baton::bench
