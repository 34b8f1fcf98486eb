#include "server/roles/cache_directory.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

std::string AbsolutePath(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && value[0] == '/' ? value : "";
}

}  // namespace

std::string CacheDirectory() {
  if (const std::string cache = AbsolutePath("XDG_CACHE_HOME"); !cache.empty()) {
    return absl::StrCat(cache, "/baton");
  }
  const std::string home = AbsolutePath("HOME");
  return home.empty() ? "" : absl::StrCat(home, "/.cache/baton");
}

}  // namespace baton
