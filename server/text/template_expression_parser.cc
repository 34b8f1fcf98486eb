#include "server/text/template_expression_parser.h"

#include <algorithm>

#include "base/status.h"
#include "server/text/template_native.h"

namespace baton {
namespace {

using Op = TemplateOperator;
using Token = TemplateToken::Kind;

struct OperatorName {
  absl::string_view spelling;
  Op op;
};

constexpr OperatorName kComparisons[] = {{"==", Op::kEqual},  {"!=", Op::kNotEqual},
                                         {"<", Op::kLess},    {"<=", Op::kLessEqual},
                                         {">", Op::kGreater}, {">=", Op::kGreaterEqual}};
constexpr OperatorName kSums[] = {{"+", Op::kAdd}, {"-", Op::kSubtract}};
constexpr OperatorName kProducts[] = {
    {"*", Op::kMultiply}, {"/", Op::kDivide}, {"//", Op::kFloorDivide}, {"%", Op::kModulo}};

template <std::size_t kCount>
bool ReadOperator(TemplateTokenStream& stream, const OperatorName (&table)[kCount], Op& op) {
  for (const OperatorName& entry : table) {
    if (!stream.SkipOperator(entry.spelling)) continue;
    op = entry.op;
    return true;
  }
  return false;
}

bool IsReserved(absl::string_view name) {
  return name == "true" || name == "True" || name == "false" || name == "False" || name == "none" ||
         name == "None";
}

}  // namespace

// One level of brackets, or of a prefix: bounds the parser's own stack.
class TemplateExpressionParser::Nesting {
 public:
  explicit Nesting(TemplateExpressionParser& parser) : parser_(parser) { ++parser_.nesting_; }
  ~Nesting() { --parser_.nesting_; }

  absl::Status Check() const {
    if (parser_.nesting_ <= kTemplateNestingMax) return absl::OkStatus();
    return parser_.stream_.Fail(
        absl::StrFormat("expressions nested more than %d deep", kTemplateNestingMax));
  }

 private:
  TemplateExpressionParser& parser_;
};

TemplateExpressionParser::Node TemplateExpressionParser::New(Kind kind) const {
  auto node = std::make_unique<TemplateExpression>();
  node->kind = kind;
  node->line = stream_.line();
  return node;
}

absl::Status TemplateExpressionParser::Add(TemplateExpression& node, Node child) {
  if (child != nullptr) node.height = std::max(node.height, child->height + 1);
  node.children.push_back(std::move(child));
  if (node.height <= kTemplateChainMax) return absl::OkStatus();
  return TemplateTokenStream::FailAt(
      node.line, absl::StrFormat("an expression of more than %d links", kTemplateChainMax));
}

TemplateExpressionParser::Result TemplateExpressionParser::Joined(
    Kind kind, Node left, Node right, std::vector<TemplateOperator> operators) {
  Node node = New(kind);
  node->line = left->line;
  node->operators = std::move(operators);
  BATON_RETURN_IF_ERROR(Add(*node, std::move(left)));
  BATON_RETURN_IF_ERROR(Add(*node, std::move(right)));
  return node;
}

TemplateExpressionParser::Result TemplateExpressionParser::Expression(bool conditional) {
  const Nesting nesting(*this);
  BATON_RETURN_IF_ERROR(nesting.Check());
  return conditional ? Conditional() : Or();
}

TemplateExpressionParser::Result TemplateExpressionParser::Conditional() {
  BATON_ASSIGN_OR_RETURN(Node then, Or());
  while (stream_.SkipName("if")) {
    BATON_ASSIGN_OR_RETURN(Node test, Or());
    BATON_ASSIGN_OR_RETURN(Node node,
                           Joined(Kind::kConditional, std::move(test), std::move(then), {}));
    Node other;
    if (stream_.SkipName("else")) {
      BATON_ASSIGN_OR_RETURN(other, Expression());
    }
    BATON_RETURN_IF_ERROR(Add(*node, std::move(other)));
    then = std::move(node);
  }
  return then;
}

TemplateExpressionParser::Result TemplateExpressionParser::Or() {
  BATON_ASSIGN_OR_RETURN(Node left, And());
  while (stream_.SkipName("or")) {
    BATON_ASSIGN_OR_RETURN(Node right, And());
    BATON_ASSIGN_OR_RETURN(left, Joined(Kind::kOr, std::move(left), std::move(right), {}));
  }
  return left;
}

TemplateExpressionParser::Result TemplateExpressionParser::And() {
  BATON_ASSIGN_OR_RETURN(Node left, Not());
  while (stream_.SkipName("and")) {
    BATON_ASSIGN_OR_RETURN(Node right, Not());
    BATON_ASSIGN_OR_RETURN(left, Joined(Kind::kAnd, std::move(left), std::move(right), {}));
  }
  return left;
}

TemplateExpressionParser::Result TemplateExpressionParser::Not() {
  if (!stream_.AtName("not")) return Compare();
  const Nesting nesting(*this);
  BATON_RETURN_IF_ERROR(nesting.Check());
  Node node = New(Kind::kNot);
  stream_.Next();
  BATON_ASSIGN_OR_RETURN(Node operand, Not());
  BATON_RETURN_IF_ERROR(Add(*node, std::move(operand)));
  return node;
}

bool TemplateExpressionParser::ReadCompareOperator(TemplateOperator& op) {
  if (ReadOperator(stream_, kComparisons, op)) return true;
  if (stream_.SkipName("in")) {
    op = Op::kIn;
    return true;
  }
  if (!stream_.AtName("not") || !stream_.Peek(1).IsName("in")) return false;
  stream_.Next();
  stream_.Next();
  op = Op::kNotIn;
  return true;
}

TemplateExpressionParser::Result TemplateExpressionParser::Compare() {
  BATON_ASSIGN_OR_RETURN(Node first, Sum());
  TemplateOperator op{};
  if (!ReadCompareOperator(op)) return first;
  Node node = New(Kind::kCompare);
  node->line = first->line;
  BATON_RETURN_IF_ERROR(Add(*node, std::move(first)));
  do {
    node->operators.push_back(op);
    BATON_ASSIGN_OR_RETURN(Node operand, Sum());
    BATON_RETURN_IF_ERROR(Add(*node, std::move(operand)));
  } while (ReadCompareOperator(op));
  return node;
}

TemplateExpressionParser::Result TemplateExpressionParser::Sum() {
  BATON_ASSIGN_OR_RETURN(Node left, Concat());
  TemplateOperator op{};
  while (ReadOperator(stream_, kSums, op)) {
    BATON_ASSIGN_OR_RETURN(Node right, Concat());
    BATON_ASSIGN_OR_RETURN(left, Joined(Kind::kBinary, std::move(left), std::move(right), {op}));
  }
  return left;
}

TemplateExpressionParser::Result TemplateExpressionParser::Concat() {
  BATON_ASSIGN_OR_RETURN(Node first, Product());
  if (!stream_.AtOperator("~")) return first;
  Node node = New(Kind::kConcat);
  node->line = first->line;
  BATON_RETURN_IF_ERROR(Add(*node, std::move(first)));
  while (stream_.SkipOperator("~")) {
    BATON_ASSIGN_OR_RETURN(Node next, Product());
    BATON_RETURN_IF_ERROR(Add(*node, std::move(next)));
  }
  return node;
}

TemplateExpressionParser::Result TemplateExpressionParser::Product() {
  BATON_ASSIGN_OR_RETURN(Node left, Power());
  TemplateOperator op{};
  while (ReadOperator(stream_, kProducts, op)) {
    if (op == Op::kModulo && left->value.text() != nullptr) {
      return stream_.FailAt(left->line, "formatting a string with % is not supported");
    }
    BATON_ASSIGN_OR_RETURN(Node right, Power());
    BATON_ASSIGN_OR_RETURN(left, Joined(Kind::kBinary, std::move(left), std::move(right), {op}));
  }
  return left;
}

TemplateExpressionParser::Result TemplateExpressionParser::Power() {
  BATON_ASSIGN_OR_RETURN(Node left, Unary(true));
  while (stream_.SkipOperator("**")) {
    BATON_ASSIGN_OR_RETURN(Node right, Unary(true));
    BATON_ASSIGN_OR_RETURN(left,
                           Joined(Kind::kBinary, std::move(left), std::move(right), {Op::kPower}));
  }
  return left;
}

TemplateExpressionParser::Result TemplateExpressionParser::Unary(bool filters) {
  Node node;
  if (stream_.AtOperator("-") || stream_.AtOperator("+")) {
    const Nesting nesting(*this);
    BATON_RETURN_IF_ERROR(nesting.Check());
    node = New(stream_.AtOperator("-") ? Kind::kNegate : Kind::kPlus);
    stream_.Next();
    BATON_ASSIGN_OR_RETURN(Node operand, Unary(false));
    BATON_RETURN_IF_ERROR(Add(*node, std::move(operand)));
  } else {
    BATON_ASSIGN_OR_RETURN(node, Primary());
  }
  BATON_ASSIGN_OR_RETURN(node, Postfixes(std::move(node)));
  return filters ? FiltersAndTests(std::move(node)) : Result(std::move(node));
}

TemplateExpressionParser::Result TemplateExpressionParser::Primary() {
  const TemplateToken& token = stream_.Peek();
  if (token.kind == Token::kName) return NameOrWord();
  if (stream_.AtOperator("(")) return Parenthesis();
  if (stream_.AtOperator("[")) return ListLiteral();
  if (stream_.AtOperator("{")) return DictLiteral();
  Node node = New(Kind::kConstant);
  if (token.kind == Token::kString) {
    std::string text;
    while (stream_.At(Token::kString)) text += stream_.Next().text;
    node->value = tree_.Literal(std::move(text));
  } else if (token.kind == Token::kInteger) {
    node->value = stream_.Next().integer;
  } else if (token.kind == Token::kFloat) {
    node->value = stream_.Next().real;
  } else {
    return stream_.Fail(absl::StrFormat("expected an expression, got %s", stream_.Described()));
  }
  return node;
}

TemplateExpressionParser::Result TemplateExpressionParser::NameOrWord() {
  Node node = New(Kind::kConstant);
  const std::string& name = stream_.Next().text;
  if (name == "true" || name == "True") {
    node->value = true;
  } else if (name == "false" || name == "False") {
    node->value = false;
  } else if (name == "none" || name == "None") {
    node->value = TemplateNone{};
  } else {
    node->kind = Kind::kName;
    node->name = name;
  }
  return node;
}

TemplateExpressionParser::Result TemplateExpressionParser::Tuple(bool conditional,
                                                                 absl::string_view stop) {
  Node node = New(Kind::kTuple);
  const auto ends = [this, stop] {
    return stream_.At(Token::kPrintEnd) || stream_.At(Token::kBlockEnd) ||
           stream_.AtOperator(")") || (!stop.empty() && stream_.AtName(stop));
  };
  bool commas = false;
  while (!ends()) {
    BATON_ASSIGN_OR_RETURN(Node item, Expression(conditional));
    BATON_RETURN_IF_ERROR(Add(*node, std::move(item)));
    if (!stream_.SkipOperator(",")) break;
    commas = true;
  }
  if (commas) return node;
  if (node->children.size() == 1) return std::move(node->children[0]);
  return stream_.Fail(absl::StrFormat("expected an expression, got %s", stream_.Described()));
}

TemplateExpressionParser::Result TemplateExpressionParser::Parenthesis() {
  Node empty = New(Kind::kTuple);
  stream_.Next();
  if (stream_.SkipOperator(")")) return empty;
  BATON_ASSIGN_OR_RETURN(Node inner, Tuple());
  BATON_RETURN_IF_ERROR(stream_.ExpectOperator(")"));
  return inner;
}

TemplateExpressionParser::Result TemplateExpressionParser::ListLiteral() {
  Node node = New(Kind::kList);
  stream_.Next();
  while (!stream_.AtOperator("]")) {
    if (!node->children.empty()) BATON_RETURN_IF_ERROR(stream_.ExpectOperator(","));
    if (stream_.AtOperator("]")) break;
    BATON_ASSIGN_OR_RETURN(Node item, Expression());
    BATON_RETURN_IF_ERROR(Add(*node, std::move(item)));
  }
  stream_.Next();
  return node;
}

TemplateExpressionParser::Result TemplateExpressionParser::DictLiteral() {
  Node node = New(Kind::kDict);
  stream_.Next();
  while (!stream_.AtOperator("}")) {
    if (!node->children.empty()) BATON_RETURN_IF_ERROR(stream_.ExpectOperator(","));
    if (stream_.AtOperator("}")) break;
    BATON_ASSIGN_OR_RETURN(Node key, Expression());
    BATON_RETURN_IF_ERROR(stream_.ExpectOperator(":"));
    BATON_ASSIGN_OR_RETURN(Node value, Expression());
    BATON_RETURN_IF_ERROR(Add(*node, std::move(key)));
    BATON_RETURN_IF_ERROR(Add(*node, std::move(value)));
  }
  stream_.Next();
  return node;
}

absl::StatusOr<TemplateTarget> TemplateExpressionParser::OneTarget(bool namespaces) {
  TemplateTarget target;
  if (stream_.SkipOperator("(")) {
    BATON_ASSIGN_OR_RETURN(target, Target(namespaces, {}));
    BATON_RETURN_IF_ERROR(stream_.ExpectOperator(")"));
    return target;
  }
  if (!stream_.At(Token::kName) || IsReserved(stream_.Peek().text)) {
    return stream_.Fail(absl::StrFormat("can't assign to %s", stream_.Described()));
  }
  target.name = stream_.Next().text;
  if (namespaces && stream_.SkipOperator(".")) {
    target.attribute = stream_.Peek().text;
    BATON_RETURN_IF_ERROR(stream_.Expect(Token::kName, "a name"));
    if (target.attribute[0] == '_') return stream_.Fail("a namespace's name begins with _");
  }
  return target;
}

absl::StatusOr<TemplateTarget> TemplateExpressionParser::Target(bool namespaces,
                                                                absl::string_view stop) {
  const Nesting nesting(*this);
  BATON_RETURN_IF_ERROR(nesting.Check());
  BATON_ASSIGN_OR_RETURN(TemplateTarget first, OneTarget(namespaces));
  if (!stream_.AtOperator(",")) return first;
  TemplateTarget target;
  target.parts.push_back(std::move(first));
  while (stream_.SkipOperator(",")) {
    const bool ends = stream_.AtOperator(")") || stream_.AtOperator("=") ||
                      stream_.At(Token::kBlockEnd) || (!stop.empty() && stream_.AtName(stop));
    if (ends) break;
    BATON_ASSIGN_OR_RETURN(TemplateTarget part, OneTarget(namespaces));
    target.parts.push_back(std::move(part));
  }
  return target;
}

}  // namespace baton
