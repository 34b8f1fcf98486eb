#include "config/sources.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "config/aliases.h"
#include "config/walk.h"

namespace baton {
namespace {

constexpr char kLmcachePrefix[] = "LMCACHE_";
constexpr char kBatonPrefix[] = "BATON_";
constexpr char kLmcacheFile[] = "LMCACHE_CONFIG_FILE";
constexpr char kBatonFile[] = "BATON_CONFIG_FILE";
constexpr char kApiKey[] = "BATON_API_KEY";

/// A variable's text as a node: lists and maps as JSON, everything else a plain scalar, whose
/// reader knows the commas of a list.
YamlNode EnvironmentNode(const std::string& text, const Origin& origin, Findings& findings) {
  YamlNode node;
  const std::string trimmed(absl::StripAsciiWhitespace(text));
  const std::string lower = absl::AsciiStrToLower(trimmed);
  if (trimmed.empty() || lower == "null" || lower == "~") return node;
  if (trimmed[0] == '[' || trimmed[0] == '{') {
    const YamlTree tree = ParseYaml(trimmed);
    for (const YamlError& error : tree.errors) {
      findings.Error(DescribeOrigin(origin), "", error.message);
    }
    return tree.root;
  }
  node.kind = YamlNode::Kind::kScalar;
  node.text = trimmed;
  return node;
}

void AddVariable(const std::string& path, const Origin& origin, const std::string& text,
                 std::vector<Entry>& entries, Findings& findings) {
  entries.push_back({path, EnvironmentNode(text, origin, findings), origin});
}

bool IsFlat(absl::string_view path) { return !absl::StrContains(path, "."); }

}  // namespace

std::vector<Entry> FileEntries(const LoadInputs& inputs, Findings& findings) {
  std::vector<Entry> entries;
  if (inputs.file_name.empty()) return entries;
  const Origin origin = {Origin::Kind::kFile, inputs.file_name, 0, ""};
  const YamlTree tree = ParseYaml(inputs.file_text);
  for (const YamlError& error : tree.errors) {
    findings.Error(absl::StrFormat("%s:%d", inputs.file_name, error.line), "", error.message);
  }
  if (tree.root.kind == YamlNode::Kind::kMap) {
    const Unknown unknown = inputs.lenient ? Unknown::kWarn : Unknown::kError;
    SectionWalker(origin, unknown, entries, findings).Walk("", tree.root);
  } else if (tree.root.kind != YamlNode::Kind::kNull) {
    findings.Error(absl::StrFormat("%s:%d", inputs.file_name, tree.root.line), "",
                   absl::StrCat("expected keys and values, got ", DescribeNode(tree.root)));
  }
  return entries;
}

std::vector<Entry> LmcacheEnvironment(const std::map<std::string, std::string>& environment,
                                      Findings& findings) {
  std::vector<Entry> entries;
  for (const auto& [variable, text] : environment) {
    absl::string_view name = variable;
    if (variable == kLmcacheFile || !absl::ConsumePrefix(&name, kLmcachePrefix)) continue;
    const std::string path = absl::AsciiStrToLower(name);
    const Origin origin = {Origin::Kind::kLmcacheEnv, "", 0, variable};
    if (IsFlat(path) && (FindKey(path) != nullptr || FindAlias(path) != nullptr)) {
      AddVariable(path, origin, text, entries, findings);
    } else {
      findings.Warn(absl::StrFormat("environment %s: ignored: no such key", variable));
    }
  }
  return entries;
}

std::vector<Entry> BatonEnvironment(const std::map<std::string, std::string>& environment,
                                    Findings& findings) {
  std::vector<Entry> entries;
  for (const auto& [variable, text] : environment) {
    absl::string_view name = variable;
    if (variable == kBatonFile || !absl::ConsumePrefix(&name, kBatonPrefix)) continue;
    const Origin origin = {Origin::Kind::kBatonEnv, "", 0, variable};
    const std::string path = variable == kApiKey
                                 ? "server.api_key"
                                 : absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"__", "."}});
    if (FindKey(path) != nullptr || FindAlias(path) != nullptr) {
      AddVariable(path, origin, text, entries, findings);
    } else if (!findings.Full()) {
      findings.Warn(absl::StrFormat(
          "environment %s: ignored: %s; two underscores part a section from its key, and "
          "Kubernetes' service links (enableServiceLinks: false) look like ours",
          variable, DescribeUnknown(path)));
    }
  }
  return entries;
}

std::vector<Entry> FlagEntries(const std::vector<FlagSetting>& flags, Findings& findings) {
  std::vector<Entry> entries;
  for (const FlagSetting& flag : flags) {
    const Origin origin = {Origin::Kind::kFlag, "", 0, flag.spelling};
    const YamlTree tree = ParseYaml(flag.value);
    for (const YamlError& error : tree.errors) {
      findings.Error(flag.spelling, flag.path, error.message);
    }
    YamlNode section;
    section.kind = YamlNode::Kind::kMap;
    section.keys = {flag.path};
    section.items = {tree.root};
    SectionWalker(origin, Unknown::kError, entries, findings).Walk("", section);
  }
  return entries;
}

}  // namespace baton
