// The half of the template parser that reads expressions: precedence, postfixes, filters, tests,
// calls. Every filter, test and method is looked up here.
//
// Pure. Source: Jinja 3.1, the grammar of its parser.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/text/template_parser.h"
#include "server/text/template_token_stream.h"
#include "server/text/template_tree.h"

namespace baton {

class TemplateExpressionParser {
 public:
  using Node = std::unique_ptr<TemplateExpression>;
  using Result = absl::StatusOr<Node>;

  /// Both outlive the parser.
  TemplateExpressionParser(TemplateTokenStream& stream, TemplateTree& tree)
      : stream_(stream), tree_(tree) {}

  /// An expression; `conditional` takes `x if y else z` too.
  Result Expression(bool conditional = true);

  /// An expression, or several with commas: a tuple. `stop` is a name that ends it.
  Result Tuple(bool conditional = true, absl::string_view stop = {});

  /// `| a | b(c)` onto `node`, which may be null; the first without its bar if `bare`.
  Result Filters(Node node, bool bare);

  /// What a `set` (`namespaces`: `ns.x` too) or `for` assigns to.
  absl::StatusOr<TemplateTarget> Target(bool namespaces, absl::string_view stop);

 private:
  using Kind = TemplateExpression::Kind;

  class Nesting;

  Result Conditional();
  Result Or();
  Result And();
  Result Not();
  Result Compare();
  Result Sum();
  Result Concat();
  Result Product();
  Result Power();
  Result Unary(bool filters);
  Result Primary();
  Result NameOrWord();
  Result Parenthesis();
  Result ListLiteral();
  Result DictLiteral();
  Result Postfixes(Node node);
  Result FiltersAndTests(Node node);
  Result Attribute(Node node);
  Result Subscript(Node node);
  Result Call(Node node);
  Result Test(Node node);
  absl::Status TestArguments(TemplateExpression& node);
  absl::Status CallArguments(TemplateExpression& node);
  absl::Status OptionalPart(TemplateExpression& node);
  absl::Status CheckNamedNatives(const TemplateExpression& filter) const;
  bool ReadCompareOperator(TemplateOperator& op);
  absl::StatusOr<TemplateTarget> OneTarget(bool namespaces);

  Node New(Kind kind) const;
  Result Joined(Kind kind, Node left, Node right, std::vector<TemplateOperator> operators);
  static absl::Status Add(TemplateExpression& node, Node child);

  TemplateTokenStream& stream_;
  TemplateTree& tree_;
  int nesting_ = 0;
};

}  // namespace baton
