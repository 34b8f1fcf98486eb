// How template values are written: Python's str() and repr(), and JSON as Python's json.dumps
// writes it. What a list or dict of the request prints is the request's, brackets and all.
//
// Source: Python Language Reference; json module, "dumps".
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/text/template_heap.h"
#include "server/text/template_value.h"

namespace baton {

/// Appends str(value). Errors: InvalidArgument for values that have no stable printed form
/// (generators, macros, loops), or that are nested too deep; ResourceExhausted.
absl::Status AppendPrinted(const TemplateValue& value, TemplateHeap& heap,
                           TemplateTextBuilder& out);

/// str(value) as a text value; a text is returned as it is. Errors: as AppendPrinted.
absl::StatusOr<TemplateValue> PrintedText(const TemplateValue& value, TemplateHeap& heap);

struct TemplateJsonStyle {
  bool ascii = false;
  bool sorted = false;
  bool pretty = false;  // every item on a line of its own, `indent` before it a level
  std::string indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

/// json.dumps(value). Errors: InvalidArgument for what JSON cannot hold; ResourceExhausted.
absl::StatusOr<TemplateValue> JsonText(const TemplateValue& value, const TemplateJsonStyle& style,
                                       TemplateHeap& heap);

/// Python's repr of a float: the shortest digits that give it back.
std::string ReprOf(double value);

/// True when every text inside was written by the template.
bool IsTrusted(const TemplateValue& value, int depth = 0);

}  // namespace baton
