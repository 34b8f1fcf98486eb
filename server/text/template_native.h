// Filters, tests, functions and methods of chat templates: one shape for all, and tables to find
// them by name when a template is loaded. What is in no table does not exist.
#pragma once

#include <array>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/text/template_clock.h"
#include "server/text/template_heap.h"
#include "server/text/template_value.h"

namespace baton {

/// One call. `args[0]` is what a filter, test or method is applied to (functions have none: their
/// first parameter is there); the parameters follow, missing where nothing was given.
struct TemplateCall {
  TemplateHeap& heap;
  const TemplateClock& now;
  absl::Span<const TemplateValue> args;
  absl::Span<const std::pair<absl::string_view, TemplateValue>> keywords;  // variadic natives only

  const TemplateValue& self() const { return args[0]; }
};

using TemplateFunction = absl::StatusOr<TemplateValue> (*)(const TemplateCall& call);

struct TemplateNative {
  static constexpr std::size_t kParametersMax = 5;

  absl::string_view name;
  TemplateFunction run;
  /// Names of the parameters after `self`, in order; empty names end the list.
  std::array<absl::string_view, kParametersMax> parameters = {};
  int required = 0;       // how many of them must be given
  bool variadic = false;  // any arguments: checked by the native itself
};

/// Tables. Null: there is none of that name.
const TemplateNative* FindTemplateFilter(absl::string_view name);
const TemplateNative* FindTemplateTest(absl::string_view name);
const TemplateNative* FindTemplateFunction(absl::string_view name);

/// The method `name` of a value of that type, or null.
const TemplateNative* FindTemplateMethod(const TemplateValue& self, absl::string_view name);

/// True when Python has such a method and no type here does: refused when a template is loaded.
bool IsUnsupportedMethod(absl::string_view name);

/// True when Python's type of `self` has such a public attribute, whether or not there is a method
/// for it here: it hides a dict's key of that name.
bool IsPythonAttribute(const TemplateValue& self, absl::string_view name);

/// Sorts what was given into a native's parameters and runs it. `self` is missing for functions.
/// Errors: InvalidArgument for too many, unknown or lacking arguments; what the native says.
struct TemplateArguments {
  TemplateValue self;
  absl::Span<const TemplateValue> positional;
  absl::Span<const std::pair<absl::string_view, TemplateValue>> keywords;
};
absl::StatusOr<TemplateValue> CallNative(const TemplateNative& native, TemplateHeap& heap,
                                         const TemplateClock& now,
                                         const TemplateArguments& arguments);

/// `InvalidArgument: message`: what a template did that Python would not allow.
absl::Status TemplateError(absl::string_view message);

/// The error of using an undefined value: it names what is not there.
absl::Status UndefinedError(const TemplateUndefined& undefined);

}  // namespace baton
