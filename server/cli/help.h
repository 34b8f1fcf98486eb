// The pages of `baton --help` and `baton SUBCOMMAND --help`: what it does, how it is typed, the
// flags it takes (from the table that parses them), and examples that work as they stand.
#pragma once

#include <string>

#include "server/cli/flags.h"

namespace baton {

/// One page, ending in a newline, at most 100 columns wide. kHelp and kVersion: the overview.
std::string HelpPage(Subcommand subcommand);

}  // namespace baton
