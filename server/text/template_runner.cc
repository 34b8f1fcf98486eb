#include "server/text/template_runner.h"

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/template_access.h"
#include "server/text/template_print.h"

namespace baton {

using Kind = TemplateStatement::Kind;

absl::Status TemplateRunner::Run(const TemplateStatement& root, TemplateTextBuilder& out) {
  TemplateFrame* frame = NewFrame(root.frame, nullptr);
  Begin(*frame);
  BATON_RETURN_IF_ERROR(RunAll(root.body, *frame, out).status());
  if (!out.overflowed()) return heap_.Check();
  return absl::ResourceExhaustedError(
      absl::StrFormat("the conversation renders to over %d bytes", kTemplateOutputBytesMax));
}

TemplateFrame* TemplateRunner::NewFrame(const TemplateFrameLayout& layout, TemplateFrame* outer) {
  const std::vector<TemplateValue> missing(layout.variables.size());
  TemplateFrame frame;
  frame.layout = &layout;
  frame.outer = outer;
  frame.slots = heap_.Keep(absl::Span<const TemplateValue>(missing));
  return heap_.New(frame);
}

void TemplateRunner::Begin(TemplateFrame& frame) {
  using Start = TemplateFrameLayout::Begin;
  for (std::size_t i = 0; i < frame.slots.size(); ++i) {
    const TemplateFrameLayout::Variable& variable = frame.layout->variables[i];
    if (variable.begin == Start::kMissing) {
      frame.slots[i] = TemplateValue();
    } else if (variable.begin == Start::kAlias) {
      frame.slots[i] = SlotOf(frame, variable.outer);
    } else if (variable.begin == Start::kResolve) {
      frame.slots[i] = Resolve(variable.name);
    }
  }
}

TemplateValue TemplateRunner::Resolve(absl::string_view name) const {
  for (const auto& [variable, value] : variables_) {
    if (variable == name) return value;
  }
  const TemplateNative* function = FindTemplateFunction(name);
  return function == nullptr ? TemplateValue() : TemplateValue(function);
}

TemplateValue& TemplateRunner::SlotOf(TemplateFrame& frame, const TemplateSlot& slot) {
  TemplateFrame* at = &frame;
  for (int i = 0; i < slot.hops; ++i) at = at->outer;
  return at->slots[static_cast<std::size_t>(slot.slot)];
}

TemplateRunner::FlowResult TemplateRunner::RunAll(const std::vector<TemplateStatement>& statements,
                                                  TemplateFrame& frame, TemplateTextBuilder& out) {
  for (const TemplateStatement& statement : statements) {
    BATON_ASSIGN_OR_RETURN(const Flow flow, RunOne(statement, frame, out));
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

TemplateRunner::FlowResult TemplateRunner::RunOne(const TemplateStatement& statement,
                                                  TemplateFrame& frame, TemplateTextBuilder& out) {
  if (statement.kind == Kind::kText) {
    out.Append(*statement.text.text());
    return Flow::kNext;
  }
  BATON_RETURN_IF_ERROR(heap_.Spend(kTemplateStepParts));
  switch (statement.kind) {
    case Kind::kText:
    case Kind::kPrint:
      BATON_RETURN_IF_ERROR(Print(statement, frame, out));
      return Flow::kNext;
    case Kind::kIf:
      return RunIf(statement, frame, out);
    case Kind::kFor:
      return RunFor(statement, frame, out);
    case Kind::kSet: {
      BATON_ASSIGN_OR_RETURN(const TemplateValue value, Evaluate(*statement.expression, frame));
      BATON_RETURN_IF_ERROR(Assign(statement.target, value, frame));
      return Flow::kNext;
    }
    case Kind::kSetBlock:
    case Kind::kFilterBlock:
    case Kind::kScope:
      return RunBlock(statement, frame, out);
    case Kind::kMacro:
      SlotOf(frame, statement.target.slot) = TemplateValue(
          static_cast<const TemplateMacro*>(heap_.New(TemplateMacro{&statement, &frame})));
      return Flow::kNext;
    case Kind::kBreak:
      return Flow::kBreak;
    case Kind::kContinue:
      break;
  }
  return Flow::kContinue;
}

absl::Status TemplateRunner::Print(const TemplateStatement& statement, TemplateFrame& frame,
                                   TemplateTextBuilder& out) {
  BATON_ASSIGN_OR_RETURN(const TemplateValue value, Evaluate(*statement.expression, frame));
  return AppendPrinted(value, heap_, out);
}

TemplateRunner::FlowResult TemplateRunner::RunIf(const TemplateStatement& statement,
                                                 TemplateFrame& frame, TemplateTextBuilder& out) {
  BATON_ASSIGN_OR_RETURN(const TemplateValue test, Evaluate(*statement.expression, frame));
  if (IsTrue(test)) return RunAll(statement.body, frame, out);
  for (const TemplateStatement& branch : statement.other) {
    if (branch.expression != nullptr) {
      BATON_ASSIGN_OR_RETURN(const TemplateValue next, Evaluate(*branch.expression, frame));
      if (!IsTrue(next)) continue;
    }
    return RunAll(branch.body, frame, out);
  }
  return Flow::kNext;
}

TemplateRunner::FlowResult TemplateRunner::RunFor(const TemplateStatement& statement,
                                                  TemplateFrame& frame, TemplateTextBuilder& out) {
  BATON_ASSIGN_OR_RETURN(const TemplateValue source, Evaluate(*statement.expression, frame));
  TemplateLoop loop;
  BATON_ASSIGN_OR_RETURN(loop.items, ItemsOf(source, heap_));
  loop.outer = &frame;
  if (statement.filter != nullptr) {
    loop.filter = &statement;
    loop.filter_frame = NewFrame(statement.filter_frame, &frame);
    Begin(*loop.filter_frame);
  }
  TemplateLoop* running = heap_.New(loop);
  TemplateFrame* turn = NewFrame(statement.frame, &frame);
  bool completed = false;
  for (;;) {
    BATON_ASSIGN_OR_RETURN(const bool more, Advance(*running));
    if (!more) break;
    BATON_RETURN_IF_ERROR(heap_.Spend(kTemplateStepParts));
    BATON_RETURN_IF_ERROR(Assign(statement.target, running->current, *turn));
    turn->slots[static_cast<std::size_t>(statement.loop_slot)] = TemplateValue(running);
    Begin(*turn);
    BATON_ASSIGN_OR_RETURN(const Flow flow, RunAll(statement.body, *turn, out));
    completed = completed || flow == Flow::kNext;
    if (flow == Flow::kBreak) break;
  }
  // As Jinja compiles it: a turn that break or continue left does not count against the else.
  if (completed || statement.other.empty()) return Flow::kNext;
  TemplateFrame* other = NewFrame(statement.other_frame, &frame);
  Begin(*other);
  return RunAll(statement.other, *other, out);
}

TemplateRunner::FlowResult TemplateRunner::RunBlock(const TemplateStatement& statement,
                                                    TemplateFrame& frame,
                                                    TemplateTextBuilder& out) {
  TemplateFrame* inner = NewFrame(statement.frame, &frame);
  Begin(*inner);
  if (statement.kind == Kind::kScope) return RunAll(statement.body, *inner, out);
  TemplateTextBuilder captured = NewTextBuilder();
  BATON_ASSIGN_OR_RETURN(const Flow flow, RunAll(statement.body, *inner, captured));
  if (flow != Flow::kNext) return flow;
  BATON_ASSIGN_OR_RETURN(TemplateValue text, heap_.Text(captured));
  BATON_ASSIGN_OR_RETURN(text, ApplyFilters(statement.filter.get(), text, *inner));
  if (statement.kind == Kind::kSetBlock) {
    BATON_RETURN_IF_ERROR(Assign(statement.target, text, frame));
  } else {
    BATON_RETURN_IF_ERROR(AppendPrinted(text, heap_, out));
  }
  return Flow::kNext;
}

absl::Status TemplateRunner::Assign(const TemplateTarget& target, const TemplateValue& value,
                                    TemplateFrame& frame) {
  if (target.parts.empty() && target.attribute.empty()) {
    SlotOf(frame, target.slot) = value;
    return absl::OkStatus();
  }
  if (target.parts.empty()) {
    auto* space = SlotOf(frame, target.slot).As<TemplateNamespace>();
    if (space == nullptr) {
      return TemplateError(
          absl::StrFormat("cannot assign an attribute of '%s', which is no "
                          "namespace",
                          target.name));
    }
    BATON_RETURN_IF_ERROR(heap_.Spend(1 + static_cast<std::int64_t>(space->members.size() / 8)));
    space->Set(target.attribute, value);
    return absl::OkStatus();
  }
  BATON_ASSIGN_OR_RETURN(const auto items, ItemsOf(value, heap_));
  if (items.size() != target.parts.size()) {
    return TemplateError(
        absl::StrFormat("%d values to unpack into %d names", items.size(), target.parts.size()));
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    BATON_RETURN_IF_ERROR(Assign(target.parts[i], items[i], frame));
  }
  return absl::OkStatus();
}

}  // namespace baton
