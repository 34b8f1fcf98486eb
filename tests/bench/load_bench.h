// `baton bench load`: how fast a model directory is loaded, against what reading the same files and
// throwing the bytes away reaches in the same run.
#pragma once

namespace baton::bench {

/// Arguments after the workload's name: --model DIR [--rounds N]. Prints a table; returns the
/// process's exit code: 0 when cold loading reaches its bar, 1 when it does not, 2 when the model
/// does not load, 3 when plain reading itself drifts too much to judge by.
int LoadBench(int argc, char** argv);

}  // namespace baton::bench
