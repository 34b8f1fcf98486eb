// The table of flags: what each is called, where it may stand, and what it does. The parser, the
// help pages and the suggestions are made from it.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/cli/flag_parse.h"
#include "server/cli/flags.h"

namespace baton {

/// Where a flag may stand: a set of subcommands.
constexpr unsigned In(Subcommand subcommand) { return 1u << static_cast<unsigned>(subcommand); }
inline constexpr unsigned kWorkers = In(Subcommand::kPrefill) | In(Subcommand::kDecode);
inline constexpr unsigned kRoles = kWorkers | In(Subcommand::kRouter) | In(Subcommand::kUp);
inline constexpr unsigned kModels = kRoles | In(Subcommand::kGenerate);
inline constexpr unsigned kFronts = In(Subcommand::kRouter) | In(Subcommand::kUp);
inline constexpr unsigned kEverywhere =
    kModels | In(Subcommand::kSelftest) | In(Subcommand::kCheckConfig);

/// How many arguments of its own a flag takes.
enum class Takes {
  kNothing,
  kOne,
  kOneAndPort,  // a URL, then perhaps a port or `none` (SGLang's bootstrap port, not needed here)
  kSome,        // one or more, up to the next flag
};

/// One flag. `path` and `text` are the handler's: see server/cli/flag_handlers.h.
struct FlagSpec {
  absl::string_view name;   // "--max-model-len"
  absl::string_view other;  // "-tp", "" = none
  unsigned where;           // of In()
  Takes takes;
  absl::string_view metavar;  // "TOKENS"
  void (*handle)(FlagParse& parse, const FlagSpec& flag, const std::string& value);
  absl::string_view path;
  absl::string_view text;
  absl::string_view
      help;  // one line; "" = not listed (spellings of the neighbours' that do nothing)
};

/// All flags, in the order of the help pages.
absl::Span<const FlagSpec> KnobFlags();     // set knobs
absl::Span<const FlagSpec> GatewayFlags();  // SGLang gateway's, for the router
absl::Span<const FlagSpec>
OptionFlags();  // options of one subcommand, and what is ignored or refused

/// The flag of that name in any of the tables, `_` being `-`; or null. Where several subcommands
/// give one name different meanings (`--seed`), the one for `subcommand`.
const FlagSpec* FindFlag(absl::string_view name, Subcommand subcommand);

}  // namespace baton
