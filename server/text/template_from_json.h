// JSON as template values. Texts keep the mark that they are given: what came with a request is
// not trusted, keys included.
#pragma once

#include "absl/status/statusor.h"
#include "base/json.h"
#include "server/text/template_heap.h"

namespace baton {

/// Texts are views into `json`, which outlives the run. Errors: ResourceExhausted.
absl::StatusOr<TemplateValue> ViewOfJson(const JsonValue& json, TemplateHeap& heap);

/// Texts are copied. Errors: ResourceExhausted.
absl::StatusOr<TemplateValue> CopiedFromJson(const JsonValue& json, bool trusted,
                                             TemplateHeap& heap);

}  // namespace baton
