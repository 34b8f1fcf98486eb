// What follows a value in a template's expression: attributes, indexes, calls, filters, tests.
#include "base/status.h"
#include "server/text/template_expression_parser.h"
#include "server/text/template_native.h"

namespace baton {
namespace {

using Token = TemplateToken::Kind;

// Filters that take the name of another filter or test as an argument, and which.
struct NamedNative {
  absl::string_view filter;
  std::size_t argument;
  bool names_test;
};
constexpr NamedNative kNamedNatives[] = {{"map", 1, false},
                                         {"select", 1, true},
                                         {"reject", 1, true},
                                         {"selectattr", 2, true},
                                         {"rejectattr", 2, true}};

}  // namespace

TemplateExpressionParser::Result TemplateExpressionParser::Postfixes(Node node) {
  for (;;) {
    if (stream_.AtOperator(".")) {
      BATON_ASSIGN_OR_RETURN(node, Attribute(std::move(node)));
    } else if (stream_.AtOperator("[")) {
      BATON_ASSIGN_OR_RETURN(node, Subscript(std::move(node)));
    } else if (stream_.AtOperator("(")) {
      BATON_ASSIGN_OR_RETURN(node, Call(std::move(node)));
    } else {
      return node;
    }
  }
}

TemplateExpressionParser::Result TemplateExpressionParser::FiltersAndTests(Node node) {
  for (;;) {
    if (stream_.AtOperator("|")) {
      BATON_ASSIGN_OR_RETURN(node, Filters(std::move(node), false));
    } else if (stream_.AtName("is")) {
      BATON_ASSIGN_OR_RETURN(node, Test(std::move(node)));
    } else if (stream_.AtOperator("(")) {
      BATON_ASSIGN_OR_RETURN(node, Call(std::move(node)));
    } else {
      return node;
    }
  }
}

TemplateExpressionParser::Result TemplateExpressionParser::Attribute(Node node) {
  stream_.Next();
  const TemplateToken& token = stream_.Next();
  if (token.kind == Token::kName) {
    Node attribute = New(Kind::kAttribute);
    attribute->line = token.line;
    attribute->name = token.text;
    BATON_RETURN_IF_ERROR(Add(*attribute, std::move(node)));
    return attribute;
  }
  if (token.kind != Token::kInteger) {
    return stream_.FailAt(token.line, "expected a name or a number after '.'");
  }
  Node number = New(Kind::kConstant);
  number->value = token.integer;
  return Joined(Kind::kIndex, std::move(node), std::move(number), {});
}

absl::Status TemplateExpressionParser::OptionalPart(TemplateExpression& node) {
  Node part;
  if (!stream_.AtOperator(":") && !stream_.AtOperator("]")) {
    Result read = Expression();
    if (!read.ok()) return read.status();
    part = *std::move(read);
  }
  return Add(node, std::move(part));
}

TemplateExpressionParser::Result TemplateExpressionParser::Subscript(Node node) {
  Node index = New(Kind::kSlice);
  stream_.Next();
  if (stream_.AtOperator("]")) return stream_.Fail("an index without a value");
  BATON_RETURN_IF_ERROR(Add(*index, std::move(node)));
  BATON_RETURN_IF_ERROR(OptionalPart(*index));
  if (stream_.AtOperator("]")) {
    index->kind = Kind::kIndex;
  } else {
    BATON_RETURN_IF_ERROR(stream_.ExpectOperator(":"));
    BATON_RETURN_IF_ERROR(OptionalPart(*index));
    Node step;
    if (stream_.SkipOperator(":")) {
      BATON_RETURN_IF_ERROR(OptionalPart(*index));
    } else {
      BATON_RETURN_IF_ERROR(Add(*index, std::move(step)));
    }
  }
  BATON_RETURN_IF_ERROR(stream_.ExpectOperator("]"));
  return index;
}

TemplateExpressionParser::Result TemplateExpressionParser::Call(Node node) {
  Node call = New(Kind::kCall);
  if (node->kind == Kind::kAttribute && IsUnsupportedMethod(node->name)) {
    return stream_.Fail(absl::StrFormat("the method '%s' is not supported", node->name));
  }
  BATON_RETURN_IF_ERROR(Add(*call, std::move(node)));
  BATON_RETURN_IF_ERROR(CallArguments(*call));
  return call;
}

absl::Status TemplateExpressionParser::CallArguments(TemplateExpression& node) {
  BATON_RETURN_IF_ERROR(stream_.ExpectOperator("("));
  bool first = true;
  while (!stream_.AtOperator(")")) {
    if (!first) BATON_RETURN_IF_ERROR(stream_.ExpectOperator(","));
    if (stream_.AtOperator(")")) break;
    first = false;
    if (stream_.AtOperator("*") || stream_.AtOperator("**")) {
      return stream_.Fail("arguments spread with * or ** are not supported");
    }
    if (stream_.At(Token::kName) && stream_.Peek(1).IsOperator("=")) {
      for (const std::string& name : node.keywords) {
        if (name == stream_.Peek().text) return stream_.Fail("an argument is named twice");
      }
      node.keywords.push_back(stream_.Next().text);
      stream_.Next();
    } else if (!node.keywords.empty()) {
      return stream_.Fail("a positional argument after a named one");
    }
    Result argument = Expression();
    if (!argument.ok()) return argument.status();
    BATON_RETURN_IF_ERROR(Add(node, *std::move(argument)));
  }
  stream_.Next();
  return absl::OkStatus();
}

TemplateExpressionParser::Result TemplateExpressionParser::Filters(Node node, bool bare) {
  while (bare || stream_.SkipOperator("|")) {
    bare = false;
    Node filter = New(Kind::kFilter);
    const TemplateToken& name = stream_.Peek();
    BATON_RETURN_IF_ERROR(stream_.Expect(Token::kName, "a filter's name"));
    filter->native = FindTemplateFilter(name.text);
    if (filter->native == nullptr) {
      return stream_.FailAt(name.line,
                            absl::StrFormat("the filter '%s' is not supported", name.text));
    }
    filter->name = name.text;
    BATON_RETURN_IF_ERROR(Add(*filter, std::move(node)));
    if (stream_.AtOperator("(")) BATON_RETURN_IF_ERROR(CallArguments(*filter));
    BATON_RETURN_IF_ERROR(CheckNamedNatives(*filter));
    node = std::move(filter);
  }
  return node;
}

absl::Status TemplateExpressionParser::CheckNamedNatives(const TemplateExpression& filter) const {
  for (const NamedNative& named : kNamedNatives) {
    const std::size_t positional = filter.children.size() - filter.keywords.size();
    if (named.filter != filter.name || named.argument >= positional) continue;
    const TemplateText* name = filter.children[named.argument]->value.text();
    if (name == nullptr) continue;
    const bool found = named.names_test ? FindTemplateTest(name->bytes) != nullptr
                                        : FindTemplateFilter(name->bytes) != nullptr;
    if (found) continue;
    return stream_.FailAt(filter.line,
                          absl::StrFormat("the %s '%s' is not supported",
                                          named.names_test ? "test" : "filter", name->bytes));
  }
  return absl::OkStatus();
}

absl::Status TemplateExpressionParser::TestArguments(TemplateExpression& node) {
  if (stream_.AtOperator("(")) return CallArguments(node);
  const Token kind = stream_.Peek().kind;
  const bool begins_value = kind == Token::kName || kind == Token::kString ||
                            kind == Token::kInteger || kind == Token::kFloat ||
                            stream_.AtOperator("[") || stream_.AtOperator("{");
  if (!begins_value || stream_.AtName("else") || stream_.AtName("or") || stream_.AtName("and")) {
    return absl::OkStatus();
  }
  if (stream_.AtName("is")) return stream_.Fail("tests cannot be chained with is");
  Result value = Primary();
  if (value.ok()) value = Postfixes(*std::move(value));
  if (!value.ok()) return value.status();
  return Add(node, *std::move(value));
}

TemplateExpressionParser::Result TemplateExpressionParser::Test(Node node) {
  Node test = New(Kind::kTest);
  stream_.Next();
  const bool negated = stream_.SkipName("not");
  const TemplateToken& name = stream_.Peek();
  BATON_RETURN_IF_ERROR(stream_.Expect(Token::kName, "a test's name"));
  test->native = FindTemplateTest(name.text);
  if (test->native == nullptr) {
    return stream_.FailAt(name.line, absl::StrFormat("the test '%s' is not supported", name.text));
  }
  test->name = name.text;
  BATON_RETURN_IF_ERROR(Add(*test, std::move(node)));
  BATON_RETURN_IF_ERROR(TestArguments(*test));
  if (!negated) return test;
  Node inverse = New(Kind::kNot);
  BATON_RETURN_IF_ERROR(Add(*inverse, std::move(test)));
  return inverse;
}

}  // namespace baton
