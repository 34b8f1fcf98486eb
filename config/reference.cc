#include "config/reference.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "config/aliases.h"
#include "config/keys.h"

namespace baton {
namespace {

constexpr char kPreface[] =
    "# All keys\n"
    "\n"
    "Made from the table in `config/keys_*.cc` by `baton check-config --reference`; do not edit.\n"
    "\n"
    "Sources, weakest first: defaults, file, `LMCACHE_<KEY>` (flat keys), `BATON_<PATH>` (`__` "
    "between levels), command line\n"
    "(`--set path=value`). `null`, `~` and an empty value mean the default. Unknown keys are "
    "errors, or with\n"
    "`--config-lenient` warnings.\n"
    "\n"
    "Verdicts: *accept*; *later* = accepted, no effect yet, and start-up says so; *map* = becomes "
    "the key named; *ignore* =\n"
    "named in one start-up line; *warn* = does nothing, and says so away from its default; "
    "*refuse* = start fails away from\n"
    "its default.\n";

absl::string_view VerdictName(const Key& key) {
  switch (key.verdict) {
    case Verdict::kAccept:
      return key.effect == Effect::kLater ? "later" : "accept";
    case Verdict::kMap:
      return "map";
    case Verdict::kIgnore:
      return "ignore";
    case Verdict::kWarn:
      return "warn";
    case Verdict::kRefuse:
      return "refuse";
  }
  return "accept";
}

std::string Cell(absl::string_view text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

}  // namespace

std::string ConfigReference() {
  std::string page = kPreface;
  for (const KeyGroup& group : KeyGroups()) {
    absl::StrAppend(&page, "\n## ", group.title,
                    "\n\n| key | takes | default | verdict | what |\n|---|---|---|---|---|\n");
    for (const Key& key : group.keys) {
      absl::StrAppendFormat(&page, "| `%s` | %s | `%s` | %s | %s |\n", key.path,
                            Cell(DescribeType(key.type)), key.default_text, VerdictName(key),
                            Cell(key.help));
    }
  }
  absl::StrAppend(&page, "\n## Deprecated names\n\n| name | use |\n|---|---|\n");
  for (const Alias& alias : Aliases()) {
    absl::StrAppendFormat(&page, "| `%s` | `%s` |\n", alias.old_name, alias.path);
  }
  return page;
}

}  // namespace baton
