// Any text as YAML: a tree within its limits, or errors with their lines.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "config/tree.h"

namespace {

int DepthOf(const baton::YamlNode& node) {
  int deepest = 0;
  for (const baton::YamlNode& item : node.items) deepest = std::max(deepest, DepthOf(item));
  return deepest + 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const baton::YamlTree tree =
      baton::ParseYaml(absl::string_view(reinterpret_cast<const char*>(data), size));
  const baton::YamlLimits limits;
  BATON_CHECK(tree.errors.size() <= limits.errors_max + 1);
  BATON_CHECK(DepthOf(tree.root) <= static_cast<int>(limits.depth_max) + 1);
  baton::DescribeNode(tree.root);
  return 0;
}
