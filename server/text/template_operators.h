// Arithmetic, comparison and membership as Python has them, on 64-bit integers: what does not fit
// is an error, never a wrapped number. `==` is AreEqual.
#pragma once

#include "absl/status/statusor.h"
#include "server/text/template_heap.h"
#include "server/text/template_tree.h"
#include "server/text/template_value.h"

namespace baton {

/// `a op b` for kAdd to kPower. Errors: InvalidArgument for types that have no such operator,
/// division by zero, overflow; ResourceExhausted for texts and lists that grow too large.
absl::StatusOr<TemplateValue> Compute(TemplateOperator op, const TemplateValue& a,
                                      const TemplateValue& b, TemplateHeap& heap);

/// `a op b` for kEqual to kNotIn. Errors: InvalidArgument for values without an order.
absl::StatusOr<bool> Compare(TemplateOperator op, const TemplateValue& a, const TemplateValue& b,
                             TemplateHeap& heap);

/// `-value` or `+value`. Errors: InvalidArgument.
absl::StatusOr<TemplateValue> Negated(const TemplateValue& value);
absl::StatusOr<TemplateValue> Plus(const TemplateValue& value);

/// a < b: -1, a > b: 1. Errors: InvalidArgument for values without an order.
absl::StatusOr<int> Order(const TemplateValue& a, const TemplateValue& b, TemplateHeap& heap,
                          int depth = 0);

}  // namespace baton
