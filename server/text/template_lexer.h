// The words of a chat template: text between tags with the environment's white space rules already
// applied (trim_blocks, lstrip_blocks, no trailing newline), and the tokens inside tags.
//
// Pure. Source: Jinja 3.1, "Template Designer Documentation", white space control; the environment
// is the one that transformers renders chat templates in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton {

struct TemplateToken {
  enum class Kind : std::uint8_t {
    kText,        // between tags
    kPrintBegin,  // {{
    kPrintEnd,    // }}
    kBlockBegin,  // {%
    kBlockEnd,    // %}
    kName,
    kString,  // its value, escapes resolved
    kInteger,
    kFloat,
    kOperator,  // spelled in `text`
    kEnd,
  };

  Kind kind = Kind::kEnd;
  std::string text;
  std::int64_t integer = 0;
  double real = 0;
  int line = 1;

  bool IsOperator(absl::string_view spelling) const {
    return kind == Kind::kOperator && text == spelling;
  }
  bool IsName(absl::string_view name) const { return kind == Kind::kName && text == name; }
};

/// The tokens of a whole template, kEnd last. Errors: InvalidArgument, `line: what`.
absl::StatusOr<std::vector<TemplateToken>> LexTemplate(absl::string_view source);

}  // namespace baton
