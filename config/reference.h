// config/reference.md: the page of all keys, made from the table that the loader reads.
#pragma once

#include <string>

namespace baton {

/// The whole page as Markdown. A test holds config/reference.md equal to it; `baton check-config
/// --reference` prints it.
std::string ConfigReference();

}  // namespace baton
