// `baton bench relay`: what a hand-off costs a request beside the wire, through the whole program:
// router, prefill and decode as processes, one streamed request at a time over loopback.
#pragma once

namespace baton::bench {

/// Options: --model NAME (builtin:recall-nano), --prompt TOKENS (1024), --requests N a wire (24),
/// --blocks N in which the wires take turns (4), --json. Prints a table or JSON on stdout. Returns
/// 0 when the bar is met over every wire, 1 when it is not, 2 when the measurement failed or the
/// options are wrong, 3 when the machine changed meanwhile and the run says nothing.
int RelayBench(int argc, char** argv);

}  // namespace baton::bench
