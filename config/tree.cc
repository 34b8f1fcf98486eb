#include "config/tree.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"

namespace baton {
namespace {

/// A URL's user and password stand in no message.
std::string WithoutPassword(std::string text) {
  const std::size_t scheme = text.find("://");
  const std::size_t at = text.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos || at < scheme) return text;
  return text.replace(scheme + 3, at - scheme - 3, "***");
}

}  // namespace

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
  const std::string text = WithoutPassword(node.text);
  std::string shown = absl::Utf8SafeCEscape(text.substr(0, kShownMax));
  if (text.size() > kShownMax) shown += "...";
  return absl::StrFormat("%s'%s'", node.quoted ? "the quoted text " : "", shown);
}

}  // namespace baton
