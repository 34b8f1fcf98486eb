#include "server/cli/help_text.h"

namespace baton {
namespace {

constexpr char kOverview[] =
    R"(baton serves large language models with prefill and decode in separate processes.

  baton up [MODEL]          a whole cluster on this machine: router and workers
  baton router MODEL        the front door: OpenAI's HTTP API, routing
  baton prefill MODEL       a worker that turns prompts into KV pages and hands them over
  baton decode MODEL        a worker that takes the pages and streams tokens
  baton generate [MODEL]    one prompt in one process: what every cluster must answer
  baton check-config FILE   check a configuration and print what comes of it
  baton selftest            move known pages over the real transport and check every byte
  baton bench NAME          named workloads and kernels, against this machine's limits

Try it:
  baton up
  curl -N http://127.0.0.1:8000/v1/completions \
    -d '{"model": "builtin:recall", "prompt": "kite=4821;kite=", "stream": true}'

baton SUBCOMMAND --help tells the flags of each. config/reference.md lists every knob; any of them
can be set in a file (--config), in the environment (BATON_ROUTER__PORT) or here (--set).
)";

constexpr char kUp[] = R"(baton up [MODEL] [flags]: a whole cluster on this machine.

Starts one router and as many workers as asked, each a child process of its own (baton router,
baton prefill, baton decode: see ps), which hand KV pages over by UCX as they would between
machines. Prints a table of them and one line "ready http://..."; a worker that dies is started
again, with back-off. Ctrl-C takes everything down in order.

  baton up                                        builtin:recall, one prefill and one decode worker
  baton up /models/deepseek --port 9000           a Hugging Face directory
  baton up --prefill-workers 2 --decode-workers 2 --set transfer.transports=[tcp]
  baton up --prefill-workers 0                    aggregated: decode workers run prompts themselves
)";

constexpr char kRouter[] = R"(baton router MODEL [flags]: the front door of a cluster.

Speaks OpenAI's HTTP API, makes text into tokens once, chooses a prefill and a decode worker by
prefix locality and load, and follows each request to its end. Workers register at
router.grpc_host:router.grpc_port, with the same MODEL (the last part of its path is its name).
Holds only soft state: any number may run.

  baton router builtin:recall --port 8000
  baton router /models/deepseek --config cluster.yaml --policy round_robin
)";

constexpr char kPrefill[] = R"(baton prefill MODEL [flags]: a prefill worker.

Runs prompts in chunks and pushes their KV pages into pages that a decode worker has leased to it.
Takes LMCache's prefiller files of all three generations as they are. --port is for health and
metrics.

  baton prefill /models/deepseek --router 127.0.0.1:7500
  baton prefill /models/deepseek --config lmcache-prefiller.yaml
)";

constexpr char kDecode[] = R"(baton decode MODEL [flags]: a decode worker.

Leases pages to prefill workers, takes hand-offs into its running batch at the next step, and
streams tokens. Takes LMCache's decoder files of all three generations as they are. --port is for
health and metrics.

  baton decode /models/deepseek --router 127.0.0.1:7500 --max-num-seqs 64
  baton decode /models/deepseek --config lmcache-decoder.yaml
)";

constexpr char kCheckConfig[] = R"(baton check-config FILE [flags]: check a configuration.

Reads FILE, the environment and --set as a role would, and prints every knob with its value and who
said so; the output is a valid file of equal effect. Exit 0 when the file is good, 2 with every
error when it is not, as a role that is started with it. Secrets are never printed.

  baton check-config cluster.yaml --role decode
  baton check-config new.yaml --diff old.yaml
)";

constexpr char kSelftest[] =
    R"(baton selftest [flags]: does the transport carry pages?

Moves known pages through the real hand-off and UCX, checks every byte, prints the transport that
was chosen and GB/s. Fails when it is another than transfer.require_transport asks for: TCP is
never taken in silence.

  baton selftest                                       both ends in this process
  baton selftest --set transfer.require_transport=shm
  baton selftest --listen 7390                         one end; then, in another process,
  baton selftest --peer 127.0.0.1:7390                 the other end drives all wires
)";

constexpr char kBench[] = R"(baton bench NAME [arguments]: measure.

Runs baton-bench, found beside baton, with the arguments as they are: named workloads of the whole
relay, the transport alone, and kernels, each with its share of this machine's limit. It is built
apart: cmake --build build/release --target baton-bench; its own --help then lists the workloads.

  baton bench transfer
  baton bench relay
  baton bench --help
)";

constexpr char kGenerate[] =
    R"(baton generate [MODEL] --prompt TEXT [flags]: one prompt in one process.

The same engine without router, transport or hand-off: the tokens and log probabilities that every
cluster must give for the same prompt and seed. MODEL defaults to builtin:recall.

  baton generate --prompt "hello" --max-tokens 32
  baton generate /models/deepseek --prompt-ids 1,2,3 --logprobs 5 --json
  baton generate /models/deepseek --prompt-ids @ids.txt --temperature 0.7 --seed 7
)";

}  // namespace

absl::string_view HelpText(Subcommand subcommand) {
  switch (subcommand) {
    case Subcommand::kHelp:
    case Subcommand::kVersion:
      return kOverview;
    case Subcommand::kUp:
      return kUp;
    case Subcommand::kRouter:
      return kRouter;
    case Subcommand::kPrefill:
      return kPrefill;
    case Subcommand::kDecode:
      return kDecode;
    case Subcommand::kCheckConfig:
      return kCheckConfig;
    case Subcommand::kSelftest:
      return kSelftest;
    case Subcommand::kBench:
      return kBench;
    case Subcommand::kGenerate:
      return kGenerate;
  }
  return kOverview;
}

}  // namespace baton
