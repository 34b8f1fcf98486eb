// `baton check-config F`: loads a file as a role would and prints what came of it, or every error.
// The shell reads the files and the environment; this turns their text into output.
#pragma once

#include <string>

#include "config/load.h"
#include "server/cli/flags.h"

namespace baton {

/// What the process shall print and return.
struct CheckConfigResult {
  int exit_code = kExitOk;  // kExitUsage when the configuration, or the one compared, is wrong
  std::string out;          // standard output
  std::string err;          // standard error: errors, or notices
};

/// `inputs` as for LoadConfig; `other` is used when options.diff_file is set: the same with the
/// other file's text.
CheckConfigResult CheckConfig(const CheckConfigOptions& options, const LoadInputs& inputs,
                              const LoadInputs& other);

}  // namespace baton
