#include "config/load.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <set>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "config/checks.h"
#include "config/landing.h"
#include "config/mapping.h"
#include "config/sources.h"
#include "config/tree.h"
#include "config/verdicts.h"

namespace baton {
namespace {

/// Fills our tree from yaml-cpp's events. It cannot stop the parser; past a limit it only looks
/// away.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const YamlLimits& limits, YamlTree& tree) : limits_(limits), tree_(tree) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) Refuse(mark, "a second document in one file; give each file one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (Accepts(mark, "?", anchor)) Add(mark, YamlNode());
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "aliases (*name) are refused; write the value again");
    if (Accepts(mark, "?", 0)) Add(mark, YamlNode());
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!Accepts(mark, tag, anchor)) return;
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.text = value;
    node.quoted = tag == "!";
    Add(mark, std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    if (Accepts(mark, tag, anchor)) Open(mark, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    if (Accepts(mark, tag, anchor)) Open(mark, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  /// A list or map whose end has not come.
  struct Opened {
    YamlNode node;
    std::set<std::string> keys;
    bool awaits_value = false;  // kMap: its last key stands without a value
    bool drops_value = false;   // kMap: that key was refused, and so is what it holds
    int key_line = 0;
  };

  void Refuse(const YAML::Mark& mark, const std::string& why) {
    if (tree_.errors.size() < limits_.errors_max) tree_.errors.push_back({mark.line + 1, why});
  }

  /// Counts the event and looks at what hangs on the node; false past a limit.
  bool Accepts(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (++events_ == limits_.events_max) Refuse(mark, "the file holds too many values");
    if (events_ >= limits_.events_max || documents_ > 1) return false;
    if (anchor != 0) Refuse(mark, "anchors (&name) are refused; write the value again");
    if (!tag.empty() && tag != "?" && tag != "!") Refuse(mark, "tags (!name) are refused");
    return true;
  }

  void Open(const YAML::Mark& mark, YamlNode::Kind kind) {
    if (opened_.size() == limits_.depth_max) Refuse(mark, "the file is nested too deeply");
    Opened opened;
    opened.node.kind = kind;
    opened.node.line = mark.line + 1;
    opened.node.column = mark.column + 1;
    opened_.push_back(std::move(opened));
  }

  void Close() {
    if (opened_.empty()) return;  // its start lay past a limit
    YamlNode node = std::move(opened_.back().node);
    opened_.pop_back();
    if (opened_.size() >= limits_.depth_max) return;
    YAML::Mark mark;
    mark.line = node.line - 1;
    mark.column = node.column - 1;
    Add(mark, std::move(node));
  }

  void Add(const YAML::Mark& mark, YamlNode node) {
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    if (opened_.empty()) {
      tree_.root = std::move(node);
      return;
    }
    Opened& parent = opened_.back();
    if (parent.node.kind == YamlNode::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.awaits_value) {
      AddValue(parent, std::move(node));
    } else {
      AddKey(mark, parent, node);
    }
  }

  void AddKey(const YAML::Mark& mark, Opened& parent, const YamlNode& node) {
    parent.awaits_value = true;
    parent.drops_value = true;
    parent.key_line = mark.line + 1;
    if (node.kind != YamlNode::Kind::kScalar) {
      Refuse(mark, absl::StrCat("expected a name as key, got ", DescribeNode(node)));
    } else if (node.text == "<<" && !node.quoted) {
      Refuse(mark, "merge keys (<<) are refused; write the keys again");
    } else if (!parent.keys.insert(node.text).second) {
      Refuse(mark, absl::StrCat("the key ", DescribeNode(node), " stands twice; keep one"));
    } else {
      parent.drops_value = false;
      parent.node.keys.push_back(node.text);
    }
  }

  void AddValue(Opened& parent, YamlNode node) {
    parent.awaits_value = false;
    if (parent.drops_value) return;
    node.line = parent.key_line;
    parent.node.items.push_back(std::move(node));
  }

  const YamlLimits limits_;
  YamlTree& tree_;
  std::vector<Opened> opened_;
  std::size_t events_ = 0;
  int documents_ = 0;
};

}  // namespace

YamlTree ParseYaml(absl::string_view text, const YamlLimits& limits) {
  YamlTree tree;
  if (text.size() > limits.bytes_max) {
    tree.errors.push_back(
        {0, absl::StrFormat("expected at most %d bytes, got %d", limits.bytes_max, text.size())});
    return tree;
  }
  TreeBuilder builder(limits, tree);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& error) {
    tree.root = YamlNode();
    tree.errors.push_back({error.mark.line + 1, absl::StrCat("this is not YAML: ", error.msg)});
  }
  return tree;
}

absl::string_view RoleName(Role role) {
  switch (role) {
    case Role::kAny:
      return "any";
    case Role::kRouter:
      return "router";
    case Role::kPrefill:
      return "prefill";
    case Role::kDecode:
      return "decode";
  }
  return "any";
}

std::string ConfigFileFromEnvironment(const std::map<std::string, std::string>& environment) {
  for (const char* name : {"BATON_CONFIG_FILE", "LMCACHE_CONFIG_FILE"}) {
    const auto found = environment.find(name);
    if (found != environment.end() && !found->second.empty()) return found->second;
  }
  return "";
}

absl::StatusOr<LoadedConfig> LoadConfig(const LoadInputs& inputs) {
  Findings findings;
  Settings settings;
  settings.Apply(FileEntries(inputs, findings), findings);
  settings.Apply(LmcacheEnvironment(inputs.environment, findings), findings);
  settings.Apply(BatonEnvironment(inputs.environment, findings), findings);
  settings.Apply(FlagEntries(inputs.flags, findings), findings);
  MapKeys(inputs.role, settings, findings);
  CheckTogether(inputs.role, settings, findings);
  ReportVerdicts(settings, findings);
  if (!findings.errors().empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(findings.errors(), "\n"));
  }
  LoadedConfig loaded;
  loaded.notices = findings.notices();
  Land(settings, loaded.config);
  for (const Setting& setting : settings.all()) {
    const std::string path(setting.key->path);
    loaded.values[path] = WriteYamlValue(setting.value);
    if (setting.origin.kind != Origin::Kind::kDefault) loaded.origins[path] = setting.origin;
  }
  return loaded;
}

}  // namespace baton
