// A loop's items, taken one by one, and what `loop` says of them.
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/template_runner.h"

namespace baton {

// The next item that the filter lets through; missing at the end.
absl::Status TemplateRunner::Take(TemplateLoop& loop, TemplateValue& item) {
  item = TemplateValue();
  while (loop.next < loop.items.size()) {
    const TemplateValue& candidate = loop.items[loop.next++];
    if (loop.filter != nullptr) {
      BATON_RETURN_IF_ERROR(heap_.Spend(kTemplateStepParts / 4));
      BATON_RETURN_IF_ERROR(Assign(loop.filter->filter_target, candidate, *loop.filter_frame));
      BATON_ASSIGN_OR_RETURN(const TemplateValue wanted,
                             Evaluate(*loop.filter->filter, *loop.filter_frame));
      if (!IsTrue(wanted)) continue;
    }
    item = candidate;
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> TemplateRunner::Advance(TemplateLoop& loop) {
  TemplateValue item = loop.after;
  loop.after = TemplateValue();
  if (item.missing()) BATON_RETURN_IF_ERROR(Take(loop, item));
  if (item.missing()) return false;
  ++loop.index;
  loop.before = loop.current;
  loop.current = item;
  return true;
}

absl::Status TemplateRunner::LookAhead(TemplateLoop& loop) {
  if (!loop.after.missing()) return absl::OkStatus();
  return Take(loop, loop.after);
}

// All that is left is taken now: how many there are is known only then.
absl::StatusOr<std::int64_t> TemplateRunner::LoopLength(TemplateLoop& loop) {
  if (loop.filter != nullptr) {
    std::vector<TemplateValue> left;
    for (;;) {
      TemplateValue item;
      BATON_RETURN_IF_ERROR(Take(loop, item));
      if (item.missing()) break;
      left.push_back(item);
    }
    loop.items = heap_.Keep(absl::Span<const TemplateValue>(left));
    loop.next = 0;
    loop.filter = nullptr;
  }
  const auto left = static_cast<std::int64_t>(loop.items.size() - loop.next);
  return loop.index + 1 + (loop.after.missing() ? 0 : 1) + left;
}

TemplateRunner::Result TemplateRunner::LoopAttribute(TemplateLoop& loop, absl::string_view name) {
  if (name == "index") return TemplateValue(loop.index + 1);
  if (name == "index0") return TemplateValue(loop.index);
  if (name == "first") return TemplateValue(loop.index == 0);
  if (name == "depth") return TemplateValue(std::int64_t{1});
  if (name == "depth0") return TemplateValue(std::int64_t{0});
  if (name == "previtem") {
    return loop.before.missing() ? heap_.Undefined("the item before the first") : loop.before;
  }
  if (name == "last" || name == "nextitem") {
    BATON_RETURN_IF_ERROR(LookAhead(loop));
    if (name == "last") return TemplateValue(loop.after.missing());
    return loop.after.missing() ? heap_.Undefined("the item after the last") : loop.after;
  }
  if (name == "length" || name == "revindex" || name == "revindex0") {
    BATON_ASSIGN_OR_RETURN(const std::int64_t length, LoopLength(loop));
    if (name == "length") return TemplateValue(length);
    return TemplateValue(length - loop.index - (name == "revindex" ? 0 : 1));
  }
  return TemplateError(absl::StrFormat("'loop.%s' is not supported", name));
}

}  // namespace baton
