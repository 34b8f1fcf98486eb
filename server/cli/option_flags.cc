// Flags that are no knobs: options of one subcommand, and the neighbours' flags that are ignored or
// refused.
#include "server/cli/flag_handlers.h"
#include "server/cli/flag_table.h"

namespace baton {
namespace {

constexpr unsigned kUp = In(Subcommand::kUp);
constexpr unsigned kGenerate = In(Subcommand::kGenerate);
constexpr unsigned kSelftest = In(Subcommand::kSelftest);
constexpr unsigned kCheck = In(Subcommand::kCheckConfig);

constexpr FlagSpec Option(absl::string_view name, unsigned where, absl::string_view metavar,
                          decltype(FlagSpec::handle) handle, absl::string_view help) {
  const Takes takes = metavar.empty() ? Takes::kNothing : Takes::kOne;
  return {name, "", where, takes, metavar, handle, "", "", help};
}
constexpr FlagSpec Without(absl::string_view name, Takes takes, decltype(FlagSpec::handle) handle,
                           absl::string_view why) {
  return {name, "", kModels, takes, "", handle, "", why, ""};
}

constexpr FlagSpec kFlags[] = {
    {"--help", "-h", ~0u, Takes::kNothing, "", &SetHelp, "", "", "this page"},
    Option("--config", kModels | In(Subcommand::kSelftest), "FILE", &SetConfigFile,
           "the configuration; else BATON_CONFIG_FILE, LMCACHE_CONFIG_FILE"),
    Option("--config-lenient", kEverywhere, "", &SetLenient, "unknown keys of the file only warn"),
    Option("--set", kEverywhere, "PATH=VALUE", &SetAny,
           "any knob of config/reference.md, the value as YAML (repeatable)"),
    Option("--prefill-workers", kUp, "N", &SetUp, "prefill workers; 0 = an aggregated cluster"),
    Option("--decode-workers", kUp, "N", &SetUp, "decode workers"),
    Option("--no-restart", kUp, "", &SetUp, "leave dead workers dead"),
    Option("--prefill-device", kUp, "DEVICE", &SetUp, "prefill workers' model.device"),
    Option("--decode-device", kUp, "DEVICE", &SetUp, "decode workers' model.device"),
    Option("--prompt", kGenerate, "TEXT", &SetGenerate, "the prompt, as text"),
    Option("--prompt-ids", kGenerate, "IDS", &SetGenerate,
           "the prompt, as token ids: 1,2,3 or @FILE"),
    Option("--max-tokens", kGenerate, "N", &SetGenerate, "longest answer (default 128)"),
    Option("--temperature", kGenerate, "T", &SetGenerate, "0 = greedy (default)"),
    Option("--seed", kGenerate, "N", &SetGenerate, "seed of the sampler"),
    Option("--logprobs", kGenerate, "K", &SetGenerate, "log probabilities, and the K likeliest"),
    Option("--prompt-logprobs", kGenerate, "K", &SetGenerate,
           "the same for the prompt's own tokens (with --json)"),
    Option("--ignore-eos", kGenerate, "", &SetGenerate, "go on past end tokens"),
    Option("--json", kGenerate, "", &SetGenerate, "one JSON object in place of text"),
    Option("--peer", kSelftest, "HOST:PORT", &SetSelftest,
           "the other end is a process that listens there (baton selftest --listen)"),
    Option("--listen", kSelftest, "PORT", &SetSelftest,
           "be that process, on transfer.host, for one visit; 0 = any free port"),
    Option("--role", kCheck, "ROLE", &SetCheckConfig, "check as router, prefill or decode would"),
    Option("--format", kCheck, "FORMAT", &SetCheckConfig, "yaml (default) or json"),
    Option("--diff", kCheck, "FILE", &SetCheckConfig, "print only what differs from this file"),
    Option("--reference", kCheck, "", &SetCheckConfig, "print the page of all keys"),
    Without("--enable-auto-tool-choice", Takes::kNothing, &Ignore, "always on"),
    Without("--enable-chunked-prefill", Takes::kNothing, &Ignore, "always on"),
    Without("--no-enable-chunked-prefill", Takes::kNothing, &Ignore,
            "prompts always run in chunks of prefill.step_tokens_max"),
    Without("--long-prefill-token-threshold", Takes::kOne, &Ignore,
            "prefill.step_tokens_max bounds a chunk"),
    Without("--scheduling-policy", Takes::kOne, &Ignore, "a request's priority is always heard"),
    Without("--kv-events-config", Takes::kOne, &Ignore, "events are always on"),
    Without("--trust-remote-code", Takes::kNothing, &Refuse,
            "no code of a model is run; leave it out"),
    Without("--swap-space", Takes::kOne, &Refuse,
            "sequences are not swapped; --kv-offloading-size sets the host tier"),
    Without("--data-parallel-size", Takes::kOne, &RefuseAboveOne,
            "start more workers (up: --decode-workers N), the router balances them"),
};

}  // namespace

absl::Span<const FlagSpec> OptionFlags() { return kFlags; }

}  // namespace baton
