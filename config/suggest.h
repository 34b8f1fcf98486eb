// The nearest known name to a mistyped one, for "did you mean".
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace baton {

/// Optimal string alignment distance (insert, erase, replace, swap of neighbours), of at most 64
/// letters of each. Source: Damerau 1964, in the restricted form of Boytsov 2011, section 2.
int EditDistance(absl::string_view a, absl::string_view b);

/// The candidate nearest to `name`, `-` and `_` being the same; of equals the first. Empty when
/// none is near enough (a third of the letters, at least two) to be a help.
std::string Nearest(absl::string_view name, const std::vector<std::string>& candidates);

}  // namespace baton
