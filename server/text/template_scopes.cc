// Which variable each name of a template means, found once when it is loaded. Frames are the root,
// a loop's turn, a macro's call, a captured block; `if` has none. A name that a frame assigns is
// its own there; one that it only reads is the nearest outer frame's, or else what the request and
// the environment call so. When a frame begins, a name that it may assign starts as a copy of the
// outer variable, or as what it resolves to if some branch may skip the assignment, or as missing.
//
// Source: the rules are those of Jinja 3.1's compiler ("idtracking"), by which templates that
// assign in loops and branches mean what they mean.
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/template_parser.h"
#include "server/text/template_token_stream.h"

namespace baton {
namespace {

using Kind = TemplateStatement::Kind;
using Begin = TemplateFrameLayout::Begin;
using Statements = std::vector<TemplateStatement>;

/// What is known of one frame's names at one point of reading it.
class Symbols {
 public:
  Symbols(const Symbols* parent, TemplateFrameLayout& layout) : parent_(parent), layout_(layout) {}

  bool Find(const std::string& name, TemplateSlot& slot) const {
    slot.hops = 0;
    for (const Symbols* at = this; at != nullptr; at = at->parent_, ++slot.hops) {
      const auto found = at->refs_.find(name);
      if (found == at->refs_.end()) continue;
      slot.slot = found->second;
      return true;
    }
    return false;
  }

  void Load(const std::string& name) {
    TemplateSlot slot;
    if (!Find(name, slot)) Define(name, {Begin::kResolve, {}});
  }

  void Store(const std::string& name) {
    stores_.insert(name);
    if (refs_.contains(name)) return;
    TemplateSlot outer;
    if (FindOuter(name, outer)) {
      Define(name, {Begin::kAlias, outer});
    } else {
      Define(name, {Begin::kMissing, {}});
    }
  }

  int Parameter(const std::string& name) {
    stores_.insert(name);
    return Define(name, {Begin::kParameter, {}});
  }

  // After an if: what only some of its branches assign starts as it was before.
  void Join(const std::vector<Symbols>& branches) {
    std::set<std::string> stores;
    for (const Symbols& branch : branches)
      stores.insert(branch.stores_.begin(), branch.stores_.end());
    for (const std::string& name : stores_) stores.erase(name);
    for (const Symbols& branch : branches) {
      for (const auto& [name, slot] : branch.refs_) refs_[name] = slot;
      for (const auto& [slot, start] : branch.starts_) starts_[slot] = start;
      stores_.insert(branch.stores_.begin(), branch.stores_.end());
    }
    for (const std::string& name : stores) {
      TemplateSlot outer;
      const bool aliased = FindOuter(name, outer);
      starts_[refs_.at(name)] = aliased ? Start{Begin::kAlias, outer} : Start{Begin::kResolve, {}};
    }
  }

  // The frame is known: how each of its variables begins.
  void Settle() const {
    for (const auto& [slot, start] : starts_) {
      TemplateFrameLayout::Variable& variable = layout_.variables[static_cast<std::size_t>(slot)];
      variable.begin = start.begin;
      variable.outer = start.outer;
    }
  }

  Begin BeginOf(const TemplateSlot& slot) const {
    const Symbols* at = this;
    for (int i = 0; i < slot.hops; ++i) at = at->parent_;
    return at->starts_.at(slot.slot).begin;
  }

 private:
  struct Start {
    Begin begin;
    TemplateSlot outer;
  };

  bool FindOuter(const std::string& name, TemplateSlot& outer) const {
    if (parent_ == nullptr || !parent_->Find(name, outer)) return false;
    ++outer.hops;
    return true;
  }

  // One slot a name and frame, whichever branch needs it first.
  int Define(const std::string& name, const Start& start) {
    std::vector<TemplateFrameLayout::Variable>& variables = layout_.variables;
    std::size_t slot = 0;
    while (slot < variables.size() && variables[slot].name != name) ++slot;
    if (slot == variables.size()) variables.push_back({name, start.begin, {}});
    refs_[name] = static_cast<int>(slot);
    starts_[static_cast<int>(slot)] = start;
    return static_cast<int>(slot);
  }

  const Symbols* parent_;
  TemplateFrameLayout& layout_;
  std::map<std::string, int> refs_;
  std::map<int, Start> starts_;
  std::set<std::string> stores_;
};

// Reading: what a frame loads and assigns, the frames inside it left alone.

void Read(const TemplateExpression* expression, Symbols& symbols) {
  if (expression == nullptr) return;
  if (expression->kind == TemplateExpression::Kind::kName) symbols.Load(expression->name);
  for (const auto& child : expression->children) Read(child.get(), symbols);
}

void ReadTarget(const TemplateTarget& target, bool parameter, Symbols& symbols) {
  for (const TemplateTarget& part : target.parts) ReadTarget(part, parameter, symbols);
  if (!target.parts.empty()) return;
  if (!target.attribute.empty()) return symbols.Load(target.name);
  if (parameter) {
    symbols.Parameter(target.name);
  } else {
    symbols.Store(target.name);
  }
}

void Read(const Statements& statements, Symbols& symbols);

void ReadIf(const TemplateStatement& statement, Symbols& symbols) {
  Read(statement.expression.get(), symbols);
  std::vector<Symbols> branches(3, symbols);  // the body, all elifs, the else
  Read(statement.body, branches[0]);
  for (const TemplateStatement& branch : statement.other) {
    if (branch.expression == nullptr) {
      Read(branch.body, branches[2]);
    } else {
      ReadIf(branch, branches[1]);
    }
  }
  symbols.Join(branches);
}

void Read(const Statements& statements, Symbols& symbols) {
  for (const TemplateStatement& statement : statements) {
    switch (statement.kind) {
      case Kind::kIf:
        ReadIf(statement, symbols);
        break;
      case Kind::kSet:
        Read(statement.expression.get(), symbols);
        ReadTarget(statement.target, false, symbols);
        break;
      case Kind::kSetBlock:
        ReadTarget(statement.target, false, symbols);
        break;
      case Kind::kFilterBlock:
        Read(statement.filter.get(), symbols);
        break;
      case Kind::kMacro:
        symbols.Store(statement.target.name);
        break;
      case Kind::kPrint:
      case Kind::kFor:
        Read(statement.expression.get(), symbols);
        break;
      case Kind::kText:
      case Kind::kScope:
      case Kind::kBreak:
      case Kind::kContinue:
        break;
    }
  }
}

/// Binds names frame by frame, from the root inwards. Remembers the first refusal.
class Binder {
 public:
  absl::Status status() const { return status_; }

  void Bind(Statements& statements, const Symbols& symbols) {
    for (TemplateStatement& statement : statements) Bind(statement, symbols);
  }

 private:
  void Fail(int line, const std::string& what) {
    if (status_.ok()) status_ = TemplateTokenStream::FailAt(line, what);
  }

  void Bind(TemplateStatement& statement, const Symbols& symbols) {
    switch (statement.kind) {
      case Kind::kIf:
        BindExpression(statement.expression.get(), symbols);
        Bind(statement.body, symbols);
        return Bind(statement.other, symbols);
      case Kind::kFor:
        return BindFor(statement, symbols);
      case Kind::kMacro:
        return BindMacro(statement, symbols);
      case Kind::kSetBlock:
        BindTarget(statement.target, statement.line, symbols);
        return BindBlock(statement, symbols);
      case Kind::kFilterBlock:
      case Kind::kScope:
        return BindBlock(statement, symbols);
      case Kind::kSet:
        BindTarget(statement.target, statement.line, symbols);
        return BindExpression(statement.expression.get(), symbols);
      case Kind::kPrint:
        return BindExpression(statement.expression.get(), symbols);
      case Kind::kText:
      case Kind::kBreak:
      case Kind::kContinue:
        return;
    }
  }

  void BindFor(TemplateStatement& loop, const Symbols& outer) {
    BindExpression(loop.expression.get(), outer);
    Symbols body(&outer, loop.frame);
    loop.loop_slot = body.Parameter("loop");
    ReadTarget(loop.target, true, body);
    Read(loop.body, body);
    body.Settle();
    ++loops_;
    BindTarget(loop.target, loop.line, body);
    Bind(loop.body, body);
    Symbols other(&outer, loop.other_frame);
    Read(loop.other, other);
    other.Settle();
    Bind(loop.other, other);
    if (loop.filter != nullptr) {
      Symbols filter(&outer, loop.filter_frame);
      ReadTarget(loop.filter_target, true, filter);
      Read(loop.filter.get(), filter);
      filter.Settle();
      BindTarget(loop.filter_target, loop.line, filter);
      BindExpression(loop.filter.get(), filter);
    }
    --loops_;
  }

  void BindMacro(TemplateStatement& macro, const Symbols& outer) {
    BindTarget(macro.target, macro.line, outer);
    Symbols body(&outer, macro.frame);
    for (const TemplateTarget& parameter : macro.parameters) body.Parameter(parameter.name);
    for (const auto& value : macro.defaults) Read(value.get(), body);
    Read(macro.body, body);
    body.Settle();
    ++macros_;
    for (TemplateTarget& parameter : macro.parameters) BindTarget(parameter, macro.line, body);
    for (const auto& value : macro.defaults) BindExpression(value.get(), body);
    Bind(macro.body, body);
    --macros_;
  }

  void BindBlock(TemplateStatement& block, const Symbols& outer) {
    Symbols body(&outer, block.frame);
    Read(block.body, body);
    Read(block.filter.get(), body);
    body.Settle();
    Bind(block.body, body);
    BindExpression(block.filter.get(), body);
  }

  void BindTarget(TemplateTarget& target, int line, const Symbols& symbols) {
    for (TemplateTarget& part : target.parts) BindTarget(part, line, symbols);
    if (!target.parts.empty()) return;
    if (loops_ > 0 && target.attribute.empty() && target.name == "loop") {
      Fail(line, "'loop' cannot be assigned inside a loop");
    }
    symbols.Find(target.name, target.slot);
  }

  void BindExpression(TemplateExpression* expression, const Symbols& symbols) {
    if (expression == nullptr) return;
    for (const auto& child : expression->children) BindExpression(child.get(), symbols);
    if (expression->kind != TemplateExpression::Kind::kName) return;
    symbols.Find(expression->name, expression->slot);
    if (symbols.BeginOf(expression->slot) == Begin::kResolve) CheckKnown(*expression);
  }

  // Names that Jinja gives a meaning which this version does not run.
  void CheckKnown(const TemplateExpression& name) {
    static constexpr absl::string_view kEverywhere[] = {"cycler", "joiner", "lipsum", "self",
                                                        "super"};
    static constexpr absl::string_view kInMacros[] = {"varargs", "kwargs", "caller"};
    bool refused = false;
    for (const absl::string_view other : kEverywhere) refused |= name.name == other;
    for (const absl::string_view other : kInMacros) refused |= macros_ > 0 && name.name == other;
    if (refused) Fail(name.line, absl::StrFormat("the name '%s' is not supported", name.name));
  }

  absl::Status status_;
  int loops_ = 0;
  int macros_ = 0;
};

}  // namespace

absl::Status BindTemplateScopes(TemplateStatement& root) {
  Symbols symbols(nullptr, root.frame);
  Read(root.body, symbols);
  symbols.Settle();
  Binder binder;
  binder.Bind(root.body, symbols);
  return binder.status();
}

}  // namespace baton
