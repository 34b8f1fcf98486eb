// baton-bench: named workloads, each against what the machine gives in the same run. `baton bench
// NAME ...` becomes this program; it lies beside `baton` and is no part of an image.

#include <cstdio>
#include <string>

#include "tests/bench/cpu_bench.h"
#include "tests/bench/kernels_bench.h"
#include "tests/bench/load_bench.h"
#include "tests/bench/overlap_bench.h"
#include "tests/bench/relay_bench.h"
#include "tests/bench/router_bench.h"
#include "tests/bench/trace_bench.h"
#include "tests/bench/transfer_bench.h"

namespace {

struct Workload {
  const char* name;
  int (*run)(int argc, char** argv);  // argv[0] is the workload's name
  const char* help;
};

int Kernels(int argc, char** argv) { return baton::bench::KernelsBench(argc - 1, argv + 1); }

int Load(int argc, char** argv) { return baton::bench::LoadBench(argc - 1, argv + 1); }

constexpr Workload kWorkloads[] = {
    {"kernels", Kernels,
     "products and attention against this machine's arithmetic and memory\n"
     "             [--isa auto|avx512_bf16|avx512|avx2] [--threads N] [--clock wall|cpu]"},
    {"cpu", baton::bench::CpuBench,
     "whole steps of a small DeepSeek-V2 (or of --model DIR) on this machine's processors\n"
     "             [--isa LEVEL] [--threads N] [--steps SEQUENCESxROWS@CONTEXT,...] "
     "[--json FILE]"},
    {"load", Load,
     "a model directory from disk to ready, against plain reading of its files\n"
     "             --model DIR [--rounds N]"},
    {"transfer", baton::bench::TransferBench,
     "pages between two processes, against a scattered copy and a plain socket\n"
     "             [--rounds N] [--mib N] [--frame BYTES] [--page BYTES] [--plot FILE.svg] "
     "[--json]"},
    {"overlap", baton::bench::OverlapBench,
     "what of a hand-off shows behind a paced computation, with overlap and without\n"
     "             [--tokens N] [--chunks N] [--layers N] [--layer-us N] [--group N] [--rounds N]\n"
     "             [--json]"},
    {"relay", baton::bench::RelayBench,
     "what a hand-off costs a request beside the wire, through the whole program\n"
     "             [--model NAME] [--prompt TOKENS] [--requests N] [--blocks N] [--json]"},
    {"router", baton::bench::RouterBench,
     "decisions a second by fleet size, against a plain walk over the prompt's pages\n"
     "             [--workers N] [--page TOKENS] [--trace FILE] [--json]"},
    {"trace", baton::bench::TraceBench,
     "recorded traffic through router, schedulers and page pools in virtual time\n"
     "             FILE [--policy NAME] [--prefill N] [--decode N | --prefill-only] ..."},
};

void PrintHelp(std::FILE* to) {
  std::fprintf(to, "baton bench NAME [arguments]\n\n");
  for (const Workload& workload : kWorkloads) {
    std::fprintf(to, "  %-10s %s\n", workload.name, workload.help);
  }
  std::fprintf(to,
               "\nexit 0: bars met, 1: one is not, 2: failed or wrong arguments, 3: void, the "
               "machine was not calm\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "--help";
  if (name == "--help" || name == "-h" || name == "help") {
    PrintHelp(stdout);
    return 0;
  }
  for (const Workload& workload : kWorkloads) {
    if (name != workload.name) continue;
    if (argc > 2 && std::string(argv[2]) == "--help") {
      std::printf("%-12s %s\n", workload.name, workload.help);
      return 0;
    }
    return workload.run(argc - 1, argv + 1);
  }
  std::fprintf(stderr, "error: no workload %s\n\n", name.c_str());
  PrintHelp(stderr);
  return 2;
}
