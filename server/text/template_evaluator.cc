// Expressions: from a tree to a value.
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/template_access.h"
#include "server/text/template_operators.h"
#include "server/text/template_print.h"
#include "server/text/template_runner.h"

namespace baton {
namespace {

using Kind = TemplateExpression::Kind;

}  // namespace

TemplateRunner::Result TemplateRunner::Evaluate(const TemplateExpression& expression,
                                                TemplateFrame& frame) {
  if (expression.kind == Kind::kConstant) return expression.value;
  BATON_RETURN_IF_ERROR(heap_.Spend(1));
  if (depth_ >= kTemplateEvaluationDepthMax) {
    return absl::ResourceExhaustedError("the template's expressions and macros nest too deep");
  }
  ++depth_;
  Result result = EvaluateInside(expression, frame);
  --depth_;
  return result;
}

TemplateRunner::Result TemplateRunner::EvaluateInside(const TemplateExpression& expression,
                                                      TemplateFrame& frame) {
  switch (expression.kind) {
    case Kind::kConstant:
      return expression.value;
    case Kind::kName:
      return Name(expression, frame);
    case Kind::kList:
    case Kind::kTuple:
      return Sequence(expression, frame);
    case Kind::kDict:
      return DictLiteral(expression, frame);
    case Kind::kAttribute:
      return Attribute(expression, frame);
    case Kind::kSlice:
      return Slice(expression, frame);
    case Kind::kCall:
      return Call(expression, frame);
    case Kind::kFilter:
    case Kind::kTest:
      return Native(expression, frame);
    case Kind::kCompare:
      return Comparison(expression, frame);
    case Kind::kConcat:
      return Concat(expression, frame);
    case Kind::kConditional:
      return Conditional(expression, frame);
    default:
      break;
  }
  BATON_ASSIGN_OR_RETURN(const TemplateValue first, Child(expression, 0, frame));
  if (expression.kind == Kind::kNot) return TemplateValue(!IsTrue(first));
  if (expression.kind == Kind::kNegate) return Negated(first);
  if (expression.kind == Kind::kPlus) return Plus(first);
  if (expression.kind == Kind::kAnd && !IsTrue(first)) return first;
  if (expression.kind == Kind::kOr && IsTrue(first)) return first;
  BATON_ASSIGN_OR_RETURN(const TemplateValue second, Child(expression, 1, frame));
  if (expression.kind == Kind::kIndex) return GetItem(first, second, heap_);
  if (expression.kind != Kind::kBinary) return second;
  return Compute(expression.operators[0], first, second, heap_);
}

TemplateRunner::Result TemplateRunner::Child(const TemplateExpression& expression, std::size_t i,
                                             TemplateFrame& frame) {
  return Evaluate(*expression.children[i], frame);
}

TemplateRunner::Result TemplateRunner::Name(const TemplateExpression& expression,
                                            TemplateFrame& frame) {
  const TemplateValue& value = SlotOf(frame, expression.slot);
  return value.missing() ? heap_.Undefined(expression.name) : value;
}

TemplateRunner::Result TemplateRunner::Sequence(const TemplateExpression& expression,
                                                TemplateFrame& frame) {
  std::vector<TemplateValue> items;
  items.reserve(expression.children.size());
  for (const auto& child : expression.children) {
    BATON_ASSIGN_OR_RETURN(const TemplateValue item, Evaluate(*child, frame));
    items.push_back(item);
  }
  return heap_.List(items, expression.kind == Kind::kTuple ? TemplateList::Flavor::kTuple
                                                           : TemplateList::Flavor::kList);
}

TemplateRunner::Result TemplateRunner::DictLiteral(const TemplateExpression& expression,
                                                   TemplateFrame& frame) {
  std::vector<TemplateHeap::Member> members;
  for (std::size_t i = 0; i + 1 < expression.children.size(); i += 2) {
    BATON_ASSIGN_OR_RETURN(const TemplateValue key, Child(expression, i, frame));
    BATON_ASSIGN_OR_RETURN(const TemplateValue value, Child(expression, i + 1, frame));
    if (key.text() == nullptr && !IsNumber(key) && !key.none()) {
      return TemplateError(absl::StrFormat("a %s as a key of a dict", TypeNameOf(key)));
    }
    std::int64_t work = 0;
    bool replaced = false;
    for (TemplateHeap::Member& member : members) {
      if (!AreEqual(member.first, key, work)) continue;
      member.second = value;  // the later one wins, in the earlier one's place
      replaced = true;
    }
    BATON_RETURN_IF_ERROR(heap_.Spend(work / 4));
    if (!replaced) members.emplace_back(key, value);
  }
  return heap_.Dict(members);
}

TemplateRunner::Result TemplateRunner::Attribute(const TemplateExpression& expression,
                                                 TemplateFrame& frame) {
  BATON_ASSIGN_OR_RETURN(const TemplateValue value, Child(expression, 0, frame));
  if (auto* loop = value.As<TemplateLoop>()) return LoopAttribute(*loop, expression.name);
  return GetAttribute(value, expression.name, heap_);
}

TemplateRunner::Result TemplateRunner::Slice(const TemplateExpression& expression,
                                             TemplateFrame& frame) {
  BATON_ASSIGN_OR_RETURN(const TemplateValue value, Child(expression, 0, frame));
  TemplateSliceBounds bounds;
  TemplateValue* const parts[] = {&bounds.begin, &bounds.end, &bounds.step};
  for (std::size_t i = 0; i < 3; ++i) {
    if (expression.children[i + 1] == nullptr) continue;
    BATON_ASSIGN_OR_RETURN(*parts[i], Child(expression, i + 1, frame));
  }
  return GetSlice(value, bounds, heap_);
}

TemplateRunner::Result TemplateRunner::Comparison(const TemplateExpression& expression,
                                                  TemplateFrame& frame) {
  BATON_ASSIGN_OR_RETURN(TemplateValue left, Child(expression, 0, frame));
  bool holds = true;
  for (std::size_t i = 0; i < expression.operators.size() && holds; ++i) {
    BATON_ASSIGN_OR_RETURN(const TemplateValue right, Child(expression, i + 1, frame));
    BATON_ASSIGN_OR_RETURN(holds, Compare(expression.operators[i], left, right, heap_));
    left = right;
  }
  return TemplateValue(holds);
}

TemplateRunner::Result TemplateRunner::Concat(const TemplateExpression& expression,
                                              TemplateFrame& frame) {
  TemplateTextBuilder out = NewTextBuilder();
  for (const auto& child : expression.children) {
    BATON_ASSIGN_OR_RETURN(const TemplateValue part, Evaluate(*child, frame));
    BATON_RETURN_IF_ERROR(AppendPrinted(part, heap_, out));
  }
  return heap_.Text(out);
}

TemplateRunner::Result TemplateRunner::Conditional(const TemplateExpression& expression,
                                                   TemplateFrame& frame) {
  BATON_ASSIGN_OR_RETURN(const TemplateValue test, Child(expression, 0, frame));
  if (IsTrue(test)) return Child(expression, 1, frame);
  if (expression.children[2] != nullptr) return Child(expression, 2, frame);
  return heap_.Undefined("the inline if without an else");
}

absl::StatusOr<TemplateRunner::Arguments> TemplateRunner::ReadArguments(
    const TemplateExpression& expression, TemplateFrame& frame) {
  Arguments arguments;
  const std::size_t positional = expression.children.size() - expression.keywords.size();
  for (std::size_t i = 1; i < expression.children.size(); ++i) {
    BATON_ASSIGN_OR_RETURN(const TemplateValue value, Child(expression, i, frame));
    if (i < positional) {
      arguments.positional.push_back(value);
    } else {
      arguments.keywords.emplace_back(expression.keywords[i - positional], value);
    }
  }
  return arguments;
}

TemplateRunner::Result TemplateRunner::Native(const TemplateExpression& expression,
                                              TemplateFrame& frame) {
  TemplateValue subject = block_text_;
  if (expression.children[0] != nullptr) {
    BATON_ASSIGN_OR_RETURN(subject, Child(expression, 0, frame));
  }
  BATON_ASSIGN_OR_RETURN(const Arguments arguments, ReadArguments(expression, frame));
  return CallNative(*expression.native, heap_, now_,
                    {subject, arguments.positional, arguments.keywords});
}

// The innermost filter of the chain has no child: it starts from `text`.
TemplateRunner::Result TemplateRunner::ApplyFilters(const TemplateExpression* filter,
                                                    const TemplateValue& text,
                                                    TemplateFrame& frame) {
  if (filter == nullptr) return text;
  const TemplateValue outer = std::exchange(block_text_, text);
  Result result = Evaluate(*filter, frame);
  block_text_ = outer;
  return result;
}

TemplateRunner::Result TemplateRunner::Call(const TemplateExpression& expression,
                                            TemplateFrame& frame) {
  BATON_ASSIGN_OR_RETURN(const TemplateValue callee, Child(expression, 0, frame));
  if (callee.undefined() != nullptr) return UndefinedError(*callee.undefined());
  BATON_ASSIGN_OR_RETURN(const Arguments arguments, ReadArguments(expression, frame));
  if (const auto* macro = callee.As<const TemplateMacro>()) return CallMacro(*macro, arguments);
  if (const auto* method = callee.As<const TemplateMethod>()) {
    return CallNative(*method->native, heap_, now_,
                      {method->self, arguments.positional, arguments.keywords});
  }
  if (const auto* function = callee.As<const TemplateNative>()) {
    return CallNative(*function, heap_, now_, {{}, arguments.positional, arguments.keywords});
  }
  return TemplateError(absl::StrFormat("'%s' is not callable", TypeNameOf(callee)));
}

TemplateRunner::Result TemplateRunner::CallMacro(const TemplateMacro& macro,
                                                 const Arguments& arguments) {
  if (macros_ >= kTemplateNestingMax) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("macros call each other more than %d deep", kTemplateNestingMax));
  }
  const TemplateStatement& definition = *macro.definition;
  TemplateFrame* frame = NewFrame(definition.frame, macro.frame);
  Begin(*frame);
  BATON_RETURN_IF_ERROR(FillParameters(macro, arguments, *frame));
  TemplateTextBuilder out = NewTextBuilder();
  ++macros_;
  const FlowResult flow = RunAll(definition.body, *frame, out);
  --macros_;
  if (!flow.ok()) return flow.status();
  return heap_.Text(out);
}

absl::Status TemplateRunner::FillParameters(const TemplateMacro& macro, const Arguments& arguments,
                                            TemplateFrame& frame) {
  const TemplateStatement& definition = *macro.definition;
  const auto& parameters = definition.parameters;
  if (arguments.positional.size() > parameters.size()) {
    return TemplateError(absl::StrFormat("macro '%s' takes not more than %d arguments",
                                         definition.target.name, parameters.size()));
  }
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) {
    SlotOf(frame, parameters[i].slot) = arguments.positional[i];
  }
  for (const auto& [name, value] : arguments.keywords) {
    std::size_t i = arguments.positional.size();
    while (i < parameters.size() && parameters[i].name != name) ++i;
    if (i == parameters.size()) {
      return TemplateError(
          absl::StrFormat("macro '%s' takes no argument '%s'", definition.target.name, name));
    }
    SlotOf(frame, parameters[i].slot) = value;
  }
  const std::size_t required = parameters.size() - definition.defaults.size();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    TemplateValue& slot = SlotOf(frame, parameters[i].slot);
    if (!slot.missing()) continue;
    if (i < required) {
      slot = heap_.Undefined(parameters[i].name);
      continue;
    }
    BATON_ASSIGN_OR_RETURN(slot, Evaluate(*definition.defaults[i - required], frame));
  }
  return absl::OkStatus();
}

}  // namespace baton
