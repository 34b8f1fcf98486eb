// Where this user's programs keep what they can make anew.
#pragma once

#include <string>

namespace baton {

/// $XDG_CACHE_HOME/baton, else $HOME/.cache/baton; empty where neither is an absolute path: then
/// nothing is kept. Source: XDG Base Directory Specification 0.8.
std::string CacheDirectory();

}  // namespace baton
