// Names that LMCache's older generations used for keys of the table. They warn and go on: LMCache
// itself drops most of them, and then serves without prefill/decode.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace baton {

struct Alias {
  absl::string_view old_name;
  absl::string_view path;
};

/// Source: LMCache, lmcache/v1/config_base.py, _resolve_config_aliases, at 000620e3.
absl::Span<const Alias> Aliases();

/// The alias of that name, or null.
const Alias* FindAlias(absl::string_view name);

}  // namespace baton
