// From a map of nested sections to entries with full paths; unknown names are told with the nearest
// known one.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace baton {

/// What is done with a name that the table does not hold.
enum class Unknown { kError, kWarn };

/// Walks sections and collects their entries.
class SectionWalker {
 public:
  /// `origin` is that of every entry, with the key's line and name where it is a file's. `entries`
  /// and `findings` outlive the walker.
  SectionWalker(Origin origin, Unknown unknown, std::vector<Entry>& entries, Findings& findings);

  /// Adds the entries of `node`, a map, below `prefix` ("" for a whole file).
  void Walk(const std::string& prefix, const YamlNode& node);

 private:
  void Visit(const std::string& path, const YamlNode& value);
  void TellUnknown(const std::string& where, const std::string& path);

  const Origin origin_;
  const Unknown unknown_;
  std::vector<Entry>& entries_;
  Findings& findings_;
};

/// "expected a known key; did you mean router.port"; names beside `path` first, then those of other
/// sections that end alike.
std::string DescribeUnknown(const std::string& path);

}  // namespace baton
