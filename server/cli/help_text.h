// The written part of the help pages: what a subcommand is for, and examples.
#pragma once

#include "absl/strings/string_view.h"
#include "server/cli/flags.h"

namespace baton {

/// Ends in a newline. The flags follow it, from their tables.
absl::string_view HelpText(Subcommand subcommand);

}  // namespace baton
