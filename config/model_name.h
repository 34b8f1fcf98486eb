// The name by which a cluster tells models apart: what the last part of model.path says.
#pragma once

#include <filesystem>
#include <string>

namespace baton {

/// `builtin:recall` as it is; the last part of a directory's path, with or without a slash behind.
inline std::string ModelNameOf(const std::string& path) {
  const std::filesystem::path parts(path);
  return (parts.has_filename() ? parts : parts.parent_path()).filename().string();
}

}  // namespace baton
