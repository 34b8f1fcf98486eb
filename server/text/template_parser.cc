#include "server/text/template_parser.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "server/text/template_expression_parser.h"
#include "server/text/template_token_stream.h"

namespace baton {
namespace {

using Kind = TemplateStatement::Kind;
using Token = TemplateToken::Kind;

class StatementParser {
 public:
  using Ends = std::vector<absl::string_view>;

  StatementParser(const std::vector<TemplateToken>& tokens, TemplateTree& tree)
      : stream_(tokens), tree_(tree), expressions_(stream_, tree) {}

  /// Statements up to a tag of `ends`, whose name is then the next token; all of them when empty.
  absl::Status Body(const Ends& ends, std::vector<TemplateStatement>& body) {
    if (++nesting_ > kTemplateNestingMax) {
      return stream_.Fail(absl::StrFormat("blocks nested more than %d deep", kTemplateNestingMax));
    }
    while (!stream_.At(Token::kEnd)) {
      if (stream_.At(Token::kBlockBegin) && AtOneOf(ends)) {
        stream_.Next();
        --nesting_;
        return absl::OkStatus();
      }
      BATON_RETURN_IF_ERROR(One(body));
    }
    if (ends.empty()) return absl::OkStatus();
    return stream_.Fail(
        absl::StrFormat("the template ends before %s", absl::StrJoin(ends, " or ")));
  }

 private:
  struct Tag {
    absl::string_view name;
    absl::Status (StatementParser::*read)(TemplateStatement&);
  };
  static const Tag kTags[];

  bool AtOneOf(const Ends& ends) const {
    return std::any_of(ends.begin(), ends.end(),
                       [this](absl::string_view end) { return stream_.Peek(1).IsName(end); });
  }

  absl::Status EndTag() { return stream_.Expect(Token::kBlockEnd, "the end of the tag"); }

  // The body of a block after its opening tag, its closing tag included.
  absl::Status Block(absl::string_view end, std::vector<TemplateStatement>& body) {
    BATON_RETURN_IF_ERROR(OpenBody());
    BATON_RETURN_IF_ERROR(Body({end}, body));
    stream_.Next();
    return EndTag();
  }

  absl::Status OpenBody() {
    stream_.SkipOperator(":");
    return EndTag();
  }

  absl::Status One(std::vector<TemplateStatement>& body) {
    TemplateStatement statement;
    statement.line = stream_.line();
    if (stream_.At(Token::kText)) {
      statement.text = tree_.Literal(stream_.Next().text);
    } else if (stream_.At(Token::kPrintBegin)) {
      stream_.Next();
      statement.kind = Kind::kPrint;
      BATON_ASSIGN_OR_RETURN(statement.expression, expressions_.Tuple());
      BATON_RETURN_IF_ERROR(stream_.Expect(Token::kPrintEnd, "}}"));
    } else {
      stream_.Next();
      BATON_RETURN_IF_ERROR(TagStatement(statement));
    }
    body.push_back(std::move(statement));
    return absl::OkStatus();
  }

  absl::Status TagStatement(TemplateStatement& statement);

  absl::Status If(TemplateStatement& statement) {
    statement.kind = Kind::kIf;
    BATON_ASSIGN_OR_RETURN(statement.expression, expressions_.Tuple(false));
    BATON_RETURN_IF_ERROR(OpenBody());
    BATON_RETURN_IF_ERROR(Body({"elif", "else", "endif"}, statement.body));
    return AfterIf(statement);
  }

  absl::Status AfterIf(TemplateStatement& statement) {
    while (stream_.AtName("elif")) {
      TemplateStatement& branch = statement.other.emplace_back();
      branch.kind = Kind::kIf;
      branch.line = stream_.Next().line;
      BATON_ASSIGN_OR_RETURN(branch.expression, expressions_.Tuple(false));
      BATON_RETURN_IF_ERROR(OpenBody());
      BATON_RETURN_IF_ERROR(Body({"elif", "else", "endif"}, branch.body));
    }
    if (stream_.SkipName("else")) {
      TemplateStatement& last = statement.other.emplace_back();
      last.kind = Kind::kIf;
      BATON_RETURN_IF_ERROR(OpenBody());
      BATON_RETURN_IF_ERROR(Body({"endif"}, last.body));
    }
    stream_.Next();
    return EndTag();
  }

  absl::Status For(TemplateStatement& statement) {
    statement.kind = Kind::kFor;
    BATON_ASSIGN_OR_RETURN(statement.target, expressions_.Target(false, "in"));
    if (!stream_.SkipName("in")) return stream_.Fail("a for without 'in'");
    BATON_ASSIGN_OR_RETURN(statement.expression, expressions_.Tuple(false, "recursive"));
    if (stream_.SkipName("if")) {
      BATON_ASSIGN_OR_RETURN(statement.filter, expressions_.Expression());
      statement.filter_target = statement.target;
    }
    if (stream_.AtName("recursive")) return stream_.Fail("recursive loops are not supported");
    BATON_RETURN_IF_ERROR(OpenBody());
    ++loops_;
    BATON_RETURN_IF_ERROR(Body({"else", "endfor"}, statement.body));
    --loops_;
    if (stream_.SkipName("else")) {
      BATON_RETURN_IF_ERROR(OpenBody());
      BATON_RETURN_IF_ERROR(Body({"endfor"}, statement.other));
    }
    stream_.Next();
    return EndTag();
  }

  absl::Status Set(TemplateStatement& statement) {
    BATON_ASSIGN_OR_RETURN(statement.target, expressions_.Target(true, {}));
    if (stream_.SkipOperator("=")) {
      statement.kind = Kind::kSet;
      BATON_ASSIGN_OR_RETURN(statement.expression, expressions_.Tuple());
      return EndTag();
    }
    statement.kind = Kind::kSetBlock;
    BATON_ASSIGN_OR_RETURN(statement.filter, expressions_.Filters(nullptr, false));
    return Block("endset", statement.body);
  }

  absl::Status FilterBlock(TemplateStatement& statement) {
    statement.kind = Kind::kFilterBlock;
    BATON_ASSIGN_OR_RETURN(statement.filter, expressions_.Filters(nullptr, true));
    return Block("endfilter", statement.body);
  }

  absl::Status Generation(TemplateStatement& statement) {
    statement.kind = Kind::kScope;
    const int loops = std::exchange(loops_, 0);
    BATON_RETURN_IF_ERROR(Block("endgeneration", statement.body));
    loops_ = loops;
    return absl::OkStatus();
  }

  absl::Status Macro(TemplateStatement& statement) {
    statement.kind = Kind::kMacro;
    statement.target.name = stream_.Peek().text;
    BATON_RETURN_IF_ERROR(stream_.Expect(Token::kName, "a macro's name"));
    BATON_RETURN_IF_ERROR(stream_.ExpectOperator("("));
    while (!stream_.AtOperator(")")) {
      if (!statement.parameters.empty()) BATON_RETURN_IF_ERROR(stream_.ExpectOperator(","));
      BATON_RETURN_IF_ERROR(Parameter(statement));
    }
    stream_.Next();
    const int loops = std::exchange(loops_, 0);
    BATON_RETURN_IF_ERROR(Block("endmacro", statement.body));
    loops_ = loops;
    return absl::OkStatus();
  }

  absl::Status Parameter(TemplateStatement& macro) {
    TemplateTarget parameter;
    parameter.name = stream_.Peek().text;
    BATON_RETURN_IF_ERROR(stream_.Expect(Token::kName, "a parameter's name"));
    for (const TemplateTarget& other : macro.parameters) {
      if (other.name == parameter.name) return stream_.Fail("a parameter is named twice");
    }
    macro.parameters.push_back(std::move(parameter));
    if (stream_.SkipOperator("=")) {
      BATON_ASSIGN_OR_RETURN(auto value, expressions_.Expression());
      macro.defaults.push_back(std::move(value));
    } else if (!macro.defaults.empty()) {
      return stream_.Fail("a parameter without a default after one with a default");
    }
    return absl::OkStatus();
  }

  absl::Status Break(TemplateStatement& statement) { return LeaveTurn(statement, Kind::kBreak); }
  absl::Status Continue(TemplateStatement& statement) {
    return LeaveTurn(statement, Kind::kContinue);
  }
  absl::Status LeaveTurn(TemplateStatement& statement, Kind kind) {
    statement.kind = kind;
    if (loops_ == 0) return stream_.Fail("break or continue outside a loop");
    return EndTag();
  }

  TemplateTokenStream stream_;
  TemplateTree& tree_;
  TemplateExpressionParser expressions_;
  int nesting_ = 0;
  int loops_ = 0;  // that a break here would end
};

const StatementParser::Tag StatementParser::kTags[] = {
    {"if", &StatementParser::If},
    {"for", &StatementParser::For},
    {"set", &StatementParser::Set},
    {"macro", &StatementParser::Macro},
    {"filter", &StatementParser::FilterBlock},
    {"generation", &StatementParser::Generation},
    {"break", &StatementParser::Break},
    {"continue", &StatementParser::Continue},
};

absl::Status StatementParser::TagStatement(TemplateStatement& statement) {
  const TemplateToken& name = stream_.Peek();
  BATON_RETURN_IF_ERROR(stream_.Expect(Token::kName, "a tag's name"));
  for (const Tag& tag : kTags) {
    if (tag.name == name.text) return (this->*tag.read)(statement);
  }
  return stream_.FailAt(name.line, absl::StrFormat("the tag '%s' is not supported, or ends "
                                                   "nothing here",
                                                   name.text));
}

}  // namespace

std::string TemplateTokenStream::Described() const {
  switch (Peek().kind) {
    case Kind::kEnd:
      return "the end of the template";
    case Kind::kPrintEnd:
      return "'}}'";
    case Kind::kBlockEnd:
      return "'%}'";
    case Kind::kString:
      return "a string";
    case Kind::kInteger:
    case Kind::kFloat:
      return "a number";
    default:
      return absl::StrFormat("'%s'", Peek().text);
  }
}

TemplateValue TemplateTree::Literal(std::string text) {
  const std::string& kept = strings.emplace_back(std::move(text));
  return static_cast<const TemplateText*>(&texts.emplace_back(TemplateText{kept, true, {}, false}));
}

absl::StatusOr<TemplateTree> ParseTemplate(const std::vector<TemplateToken>& tokens) {
  TemplateTree tree;
  StatementParser parser(tokens, tree);
  BATON_RETURN_IF_ERROR(parser.Body({}, tree.root.body));
  return tree;
}

}  // namespace baton
