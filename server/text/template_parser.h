// Reads a chat template's tokens into a tree. What this version does not run is refused here, by
// name and line, before any request is taken.
//
// Pure.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/text/template_lexer.h"
#include "server/text/template_tree.h"

namespace baton {

/// A parsed template. `root.body` is the template; literals point into `strings` and `texts`, so it
/// is moved and never copied.
struct TemplateTree {
  TemplateStatement root;
  std::deque<std::string> strings;
  std::deque<TemplateText> texts;

  /// A text of the template itself, which lives as long as the tree.
  TemplateValue Literal(std::string text);
};

/// Errors: InvalidArgument, `line: what`.
absl::StatusOr<TemplateTree> ParseTemplate(const std::vector<TemplateToken>& tokens);

/// Binds every name to its variable, as Jinja's compiler does: which frame it lives in, and what it
/// is before it is assigned. Errors: InvalidArgument, `line: what`.
absl::Status BindTemplateScopes(TemplateStatement& root);

}  // namespace baton
