// What Python's str can do, on marked texts: one implementation for the filters and the methods of
// one name. Every result keeps the marks of the bytes that it is made of.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "server/text/template_heap.h"
#include "server/text/template_value.h"

namespace baton {

enum class TemplateLetterCase : std::uint8_t { kUpper, kLower, kCapitalized };

absl::StatusOr<TemplateValue> WithCase(const TemplateText& text, TemplateLetterCase letters,
                                       TemplateHeap& heap);

/// str.strip and its halves; `chars` missing or none: white space.
/// Errors: InvalidArgument when `chars` is no text.
struct TemplateStripEnds {
  bool left = true;
  bool right = true;
};
absl::StatusOr<TemplateValue> Stripped(const TemplateText& text, const TemplateValue& chars,
                                       TemplateStripEnds ends, TemplateHeap& heap);

/// str.replace; `count` below 0: all.
absl::StatusOr<TemplateValue> Replaced(const TemplateText& text, const TemplateText& from,
                                       const TemplateText& to, std::int64_t count,
                                       TemplateHeap& heap);

/// str.split(separator, count): a list. Without a separator: at runs of white space.
/// Errors: InvalidArgument for an empty separator.
absl::StatusOr<TemplateValue> Split(const TemplateText& text, const TemplateText* separator,
                                    std::int64_t count, TemplateHeap& heap);

/// str.splitlines(): a list of slices without their line breaks.
absl::StatusOr<TemplateValue> Lines(const TemplateText& text, TemplateHeap& heap);

/// separator.join(items), each printed. Errors: as AppendPrinted.
absl::StatusOr<TemplateValue> JoinedTexts(absl::Span<const TemplateValue> items,
                                          const TemplateText& separator, TemplateHeap& heap);

/// `value` as a text parameter of `what`, or an error that says so.
absl::StatusOr<const TemplateText*> NeedText(const TemplateValue& value, absl::string_view what);

/// A whole number parameter of `what`; `fallback` when it was not given.
absl::StatusOr<std::int64_t> NeedWhole(const TemplateValue& value, std::int64_t fallback,
                                       absl::string_view what);

}  // namespace baton
