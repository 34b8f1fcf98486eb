// The two halves of the table of filters: those on one value, and those on sequences.
#pragma once

#include "absl/types/span.h"
#include "server/text/template_native.h"

namespace baton {

absl::Span<const TemplateNative> TemplateValueFilters();
absl::Span<const TemplateNative> TemplateSequenceFilters();

}  // namespace baton
