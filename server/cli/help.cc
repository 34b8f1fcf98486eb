#include "server/cli/help.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "config/keys.h"
#include "server/cli/flag_table.h"
#include "server/cli/help_text.h"

namespace baton {
namespace {

constexpr std::size_t kNameColumns = 34;  // of the column of flags
constexpr std::size_t kColumns = 100;

/// "--flag VALUE, -f".
std::string Usage(const FlagSpec& flag) {
  std::string usage(flag.name);
  if (!flag.metavar.empty()) absl::StrAppend(&usage, " ", flag.metavar);
  if (flag.other.size() == 2 || flag.other == "-tp") absl::StrAppend(&usage, ", ", flag.other);
  return usage;
}

/// The help column, wrapped at blanks and indented below itself.
std::string Wrapped(absl::string_view help) {
  const std::size_t width = kColumns - kNameColumns;
  std::string out;
  while (help.size() > width) {
    std::size_t blank = help.rfind(' ', width);
    if (blank == absl::string_view::npos) blank = width;
    absl::StrAppend(&out, help.substr(0, blank), "\n", std::string(kNameColumns, ' '));
    help.remove_prefix(std::min(blank + 1, help.size()));
  }
  return absl::StrCat(out, help);
}

/// What a flag is for, and whether this version does anything about it.
std::string HelpOf(const FlagSpec& flag) {
  const std::string path = absl::StrReplaceAll(flag.path, {{"ROLE", "decode"}});
  const Key* const key = FindKey(path);
  const bool later = key != nullptr && key->effect == Effect::kLater;
  return absl::StrCat(flag.help, later ? " (no effect yet)" : "");
}

std::string FlagLine(const FlagSpec& flag) {
  const std::string usage = Usage(flag);
  const bool fits = usage.size() + 3 <= kNameColumns;
  const std::string gap = fits ? std::string(kNameColumns - 2 - usage.size(), ' ')
                               : "\n" + std::string(kNameColumns, ' ');
  return absl::StrCat("  ", usage, gap, Wrapped(HelpOf(flag)), "\n");
}

std::string FlagGroup(absl::string_view title, absl::Span<const FlagSpec> flags,
                      Subcommand subcommand) {
  std::string lines;
  for (const FlagSpec& flag : flags) {
    const bool shown = (flag.where & In(subcommand)) != 0 && !flag.help.empty();
    if (shown) lines += FlagLine(flag);
  }
  return lines.empty() ? "" : absl::StrCat("\n", title, ":\n", lines);
}

}  // namespace

std::string HelpPage(Subcommand subcommand) {
  const bool overview = subcommand == Subcommand::kHelp || subcommand == Subcommand::kVersion;
  std::string page(HelpText(subcommand));
  if (overview || subcommand == Subcommand::kBench) return page;
  page += FlagGroup("Options", OptionFlags(), subcommand);
  page += FlagGroup("Knobs (all others: --set)", KnobFlags(), subcommand);
  page += FlagGroup("Routing", GatewayFlags(), subcommand);
  return page;
}

}  // namespace baton
