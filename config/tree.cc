#include "config/tree.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"

namespace baton {

std::string DescribeNode(const YamlNode& node) {
  constexpr std::size_t kShownMax = 60;
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
    case YamlNode::Kind::kScalar:
      break;
  }
  std::string shown = absl::Utf8SafeCEscape(node.text.substr(0, kShownMax));
  if (node.text.size() > kShownMax) shown += "...";
  return absl::StrFormat("%s'%s'", node.quoted ? "the quoted text " : "", shown);
}

}  // namespace baton
