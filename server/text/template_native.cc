#include "server/text/template_native.h"

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace baton {
namespace {

using Keyword = std::pair<absl::string_view, TemplateValue>;

std::size_t ParametersOf(const TemplateNative& native) {
  std::size_t count = 0;
  while (count < TemplateNative::kParametersMax && !native.parameters[count].empty()) ++count;
  return count;
}

absl::Status Place(const TemplateNative& native, const Keyword& keyword,
                   absl::Span<TemplateValue> places) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (native.parameters[i] != keyword.first) continue;
    if (!places[i].missing()) {
      return TemplateError(absl::StrFormat("%s: '%s' is given twice", native.name, keyword.first));
    }
    places[i] = keyword.second;
    return absl::OkStatus();
  }
  return TemplateError(absl::StrFormat("%s takes no argument '%s'", native.name, keyword.first));
}

}  // namespace

absl::Status TemplateError(absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrFormat("%s", message));
}

absl::Status UndefinedError(const TemplateUndefined& undefined) {
  if (undefined.owner.empty()) {
    return TemplateError(absl::StrFormat("'%s' is undefined", undefined.name));
  }
  return TemplateError(
      absl::StrFormat("'%s object' has no attribute '%s'", undefined.owner, undefined.name));
}

absl::StatusOr<TemplateValue> CallNative(const TemplateNative& native, TemplateHeap& heap,
                                         const TemplateClock& now,
                                         const TemplateArguments& arguments) {
  const std::size_t first = arguments.self.missing() ? 0 : 1;
  if (native.variadic) {
    std::vector<TemplateValue> values;
    if (first == 1) values.push_back(arguments.self);
    values.insert(values.end(), arguments.positional.begin(), arguments.positional.end());
    return native.run({heap, now, values, arguments.keywords});
  }
  const std::size_t count = ParametersOf(native);
  if (arguments.positional.size() > count) {
    return TemplateError(absl::StrFormat("%s takes at most %d arguments", native.name, count));
  }
  std::array<TemplateValue, TemplateNative::kParametersMax + 1> values;
  values[0] = arguments.self;
  std::copy(arguments.positional.begin(), arguments.positional.end(), values.begin() + first);
  const absl::Span<TemplateValue> places(values.data() + first, count);
  for (const Keyword& keyword : arguments.keywords) {
    BATON_RETURN_IF_ERROR(Place(native, keyword, places));
  }
  for (int i = 0; i < native.required; ++i) {
    if (!places[static_cast<std::size_t>(i)].missing()) continue;
    return TemplateError(absl::StrFormat("%s needs the argument '%s'", native.name,
                                         native.parameters[static_cast<std::size_t>(i)]));
  }
  return native.run({heap, now, absl::Span<const TemplateValue>(values.data(), first + count), {}});
}

}  // namespace baton
