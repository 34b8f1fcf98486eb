#include "config/walk.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "config/aliases.h"
#include "config/suggest.h"

namespace baton {
namespace {

absl::string_view LastPart(absl::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == absl::string_view::npos ? path : path.substr(dot + 1);
}

/// Sections, keys and aliases: all that may stand in a file.
std::vector<std::string> KnownNames() {
  std::vector<std::string> names;
  for (const Key* key : AllKeys()) {
    const absl::string_view path = key->path;
    for (std::size_t dot = path.find('.'); dot != absl::string_view::npos;
         dot = path.find('.', dot + 1)) {
      const std::string section(path.substr(0, dot));
      if (names.empty() || !absl::StartsWith(names.back(), section)) names.push_back(section);
    }
    names.emplace_back(path);
  }
  for (const Alias& alias : Aliases()) names.emplace_back(alias.old_name);
  return names;
}

bool IsKnown(const std::string& path) {
  return FindKey(path) != nullptr || FindAlias(path) != nullptr;
}

}  // namespace

std::string DescribeUnknown(const std::string& path) {
  std::string suggestion;
  const std::vector<std::string> names = KnownNames();
  for (const std::string& name : names) {
    if (LastPart(name) != LastPart(path)) continue;
    suggestion = name;
    break;
  }
  if (suggestion.empty()) suggestion = Nearest(path, names);
  if (suggestion.empty()) return "expected a known key (config/reference.md lists them)";
  return absl::StrCat("expected a known key; did you mean ", suggestion);
}

SectionWalker::SectionWalker(Origin origin, Unknown unknown, std::vector<Entry>& entries,
                             Findings& findings)
    : origin_(std::move(origin)), unknown_(unknown), entries_(entries), findings_(findings) {}

void SectionWalker::Walk(const std::string& prefix, const YamlNode& node) {
  for (std::size_t i = 0; i < node.items.size() && !findings_.Full(); ++i) {
    Visit(prefix.empty() ? node.keys[i] : absl::StrCat(prefix, ".", node.keys[i]), node.items[i]);
  }
}

void SectionWalker::Visit(const std::string& path, const YamlNode& value) {
  Origin here = origin_;
  if (here.kind == Origin::Kind::kFile) {
    here.line = value.line;
    here.name = path;
  }
  const std::string where = DescribeOrigin(here);
  if (IsKnown(path)) {
    entries_.push_back({path, value, here});
  } else if (!IsSection(path)) {
    TellUnknown(where, path);
  } else if (value.kind == YamlNode::Kind::kMap) {
    Walk(path, value);
  } else if (value.kind != YamlNode::Kind::kNull) {
    findings_.Error(where, path,
                    absl::StrCat("expected a section of keys, got ", DescribeNode(value)));
  }
}

void SectionWalker::TellUnknown(const std::string& where, const std::string& path) {
  const std::string message = DescribeUnknown(path);
  if (unknown_ == Unknown::kError) {
    findings_.Error(where, path, message);
  } else {
    findings_.Warn(absl::StrFormat("%s: %s: ignored: %s", where, path, message));
  }
}

}  // namespace baton
