// `baton generate`: prompts in one process, no hand-off: the oracle that disaggregated answers are
// compared with.
#pragma once

#include "config/load.h"
#include "server/cli/flags.h"

namespace baton {

/// Runs each prompt (one, or one a line of a file of ids) and prints the answer, or with --json an
/// object a prompt: {"token_ids", "text", "logprobs", "finish_reason", "timings"}. Returns the exit
/// code.
int RunGenerate(const LoadedConfig& loaded, const CommandLine& command_line);

}  // namespace baton
