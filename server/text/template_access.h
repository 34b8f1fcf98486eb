// Reaching into template values: attributes, items, slices, and walking them. These are the only
// ways, and they lead to data and to the methods of FindTemplateMethod, nowhere else.
#pragma once

#include "absl/status/statusor.h"
#include "server/text/template_heap.h"
#include "server/text/template_value.h"

namespace baton {

/// `value.name`: a method, else an item of that name, else undefined; never an error for a value
/// that is defined, but for a method of Python's that is not supported.
/// Errors: InvalidArgument.
absl::StatusOr<TemplateValue> GetAttribute(const TemplateValue& value, absl::string_view name,
                                           TemplateHeap& heap);

/// `value[key]`: an item, else an attribute of that name, else undefined. Errors: as GetAttribute.
absl::StatusOr<TemplateValue> GetItem(const TemplateValue& value, const TemplateValue& key,
                                      TemplateHeap& heap);

/// `value[begin:end:step]`; the three are whole numbers or none. Errors: InvalidArgument.
struct TemplateSliceBounds {
  TemplateValue begin;
  TemplateValue end;
  TemplateValue step;
};
absl::StatusOr<TemplateValue> GetSlice(const TemplateValue& value,
                                       const TemplateSliceBounds& bounds, TemplateHeap& heap);

/// What a loop walks over: items, keys of a dict, characters of a text, what is left of a generator
/// (which is then used up), nothing for undefined.
/// Errors: InvalidArgument for what cannot be walked.
absl::StatusOr<absl::Span<const TemplateValue>> ItemsOf(const TemplateValue& value,
                                                        TemplateHeap& heap);

/// len(value). Errors: InvalidArgument.
absl::StatusOr<std::int64_t> LengthOf(const TemplateValue& value, TemplateHeap& heap);

/// `a.b.0` of filters that take an attribute's path. Errors: as GetAttribute.
absl::StatusOr<TemplateValue> GetPath(const TemplateValue& value, const TemplateValue& path,
                                      TemplateHeap& heap);

}  // namespace baton
