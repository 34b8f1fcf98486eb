// Runs a parsed template once: walks its statements into text and its expressions into values,
// within the limits of a TemplateHeap.
//
// Thread: one; made for a run, gone with it.
#pragma once

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/text/template_clock.h"
#include "server/text/template_heap.h"
#include "server/text/template_native.h"
#include "server/text/template_tree.h"

namespace baton {

/// Values of one frame's variables.
struct TemplateFrame {
  const TemplateFrameLayout* layout = nullptr;
  TemplateFrame* outer = nullptr;
  absl::Span<TemplateValue> slots;
};

/// A loop under way: `loop` inside it. Items are taken, and its filter asked, as the loop comes to
/// them or as `loop.last`, `loop.nextitem` and `loop.length` look ahead.
struct TemplateLoop {
  absl::Span<const TemplateValue> items;
  std::size_t next = 0;
  const TemplateStatement* filter = nullptr;  // the loop's statement while it has one to ask
  TemplateFrame* filter_frame = nullptr;
  TemplateFrame* outer = nullptr;
  std::int64_t index = -1;
  TemplateValue before;
  TemplateValue current;
  TemplateValue after;  // taken already; missing: not
};

class TemplateRunner {
 public:
  using Variables = absl::Span<const std::pair<absl::string_view, TemplateValue>>;

  /// `variables` are what names resolve to first; then come the functions. All outlive the runner.
  TemplateRunner(TemplateHeap& heap, const TemplateClock& now, Variables variables)
      : heap_(heap), now_(now), variables_(variables) {}

  /// Errors: InvalidArgument for what the template may not do, with raise_exception's message as
  /// it is; ResourceExhausted at a limit.
  absl::Status Run(const TemplateStatement& root, TemplateTextBuilder& out);

 private:
  enum class Flow { kNext, kBreak, kContinue };
  using Result = absl::StatusOr<TemplateValue>;
  using FlowResult = absl::StatusOr<Flow>;

  // Statements (template_runner.cc).
  FlowResult RunAll(const std::vector<TemplateStatement>& statements, TemplateFrame& frame,
                    TemplateTextBuilder& out);
  FlowResult RunOne(const TemplateStatement& statement, TemplateFrame& frame,
                    TemplateTextBuilder& out);
  absl::Status Print(const TemplateStatement& statement, TemplateFrame& frame,
                     TemplateTextBuilder& out);
  FlowResult RunIf(const TemplateStatement& statement, TemplateFrame& frame,
                   TemplateTextBuilder& out);
  FlowResult RunFor(const TemplateStatement& statement, TemplateFrame& frame,
                    TemplateTextBuilder& out);
  FlowResult RunBlock(const TemplateStatement& statement, TemplateFrame& frame,
                      TemplateTextBuilder& out);
  absl::Status Assign(const TemplateTarget& target, const TemplateValue& value,
                      TemplateFrame& frame);
  TemplateFrame* NewFrame(const TemplateFrameLayout& layout, TemplateFrame* outer);
  void Begin(TemplateFrame& frame);
  TemplateValue Resolve(absl::string_view name) const;
  static TemplateValue& SlotOf(TemplateFrame& frame, const TemplateSlot& slot);

  // Loops (template_loop.cc).
  absl::Status Take(TemplateLoop& loop, TemplateValue& item);
  absl::StatusOr<bool> Advance(TemplateLoop& loop);
  absl::Status LookAhead(TemplateLoop& loop);
  absl::StatusOr<std::int64_t> LoopLength(TemplateLoop& loop);
  Result LoopAttribute(TemplateLoop& loop, absl::string_view name);

  // Expressions (template_evaluator.cc).
  Result Evaluate(const TemplateExpression& expression, TemplateFrame& frame);
  Result EvaluateInside(const TemplateExpression& expression, TemplateFrame& frame);
  Result Child(const TemplateExpression& expression, std::size_t i, TemplateFrame& frame);
  Result Name(const TemplateExpression& expression, TemplateFrame& frame);
  Result Sequence(const TemplateExpression& expression, TemplateFrame& frame);
  Result DictLiteral(const TemplateExpression& expression, TemplateFrame& frame);
  Result Attribute(const TemplateExpression& expression, TemplateFrame& frame);
  Result Slice(const TemplateExpression& expression, TemplateFrame& frame);
  Result Comparison(const TemplateExpression& expression, TemplateFrame& frame);
  Result Concat(const TemplateExpression& expression, TemplateFrame& frame);
  Result Conditional(const TemplateExpression& expression, TemplateFrame& frame);
  Result Call(const TemplateExpression& expression, TemplateFrame& frame);
  Result Native(const TemplateExpression& expression, TemplateFrame& frame);
  Result ApplyFilters(const TemplateExpression* filter, const TemplateValue& text,
                      TemplateFrame& frame);

  struct Arguments {
    std::vector<TemplateValue> positional;
    std::vector<std::pair<absl::string_view, TemplateValue>> keywords;
  };
  absl::StatusOr<Arguments> ReadArguments(const TemplateExpression& expression,
                                          TemplateFrame& frame);
  Result CallMacro(const TemplateMacro& macro, const Arguments& arguments);
  absl::Status FillParameters(const TemplateMacro& macro, const Arguments& arguments,
                              TemplateFrame& frame);

  TemplateHeap& heap_;
  const TemplateClock& now_;
  const Variables variables_;
  TemplateValue block_text_;  // what a block's filters start from
  int depth_ = 0;             // of expressions, macros' included
  int macros_ = 0;
};

}  // namespace baton
