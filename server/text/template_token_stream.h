// The tokens of a template, one after another, with the parser's errors: what both halves of the
// parser read from. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "server/text/template_lexer.h"
#include "server/text/template_limits.h"

namespace baton {

class TemplateTokenStream {
 public:
  using Kind = TemplateToken::Kind;

  /// `tokens` end with kEnd and outlive the stream.
  explicit TemplateTokenStream(const std::vector<TemplateToken>& tokens) : tokens_(tokens) {}

  const TemplateToken& Peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const TemplateToken& Next() {
    const TemplateToken& token = Peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  int line() const { return Peek().line; }

  bool At(Kind kind) const { return Peek().kind == kind; }
  bool AtOperator(absl::string_view spelling) const { return Peek().IsOperator(spelling); }
  bool AtName(absl::string_view name) const { return Peek().IsName(name); }

  bool SkipOperator(absl::string_view spelling) {
    if (!AtOperator(spelling)) return false;
    Next();
    return true;
  }
  bool SkipName(absl::string_view name) {
    if (!AtName(name)) return false;
    Next();
    return true;
  }

  absl::Status ExpectOperator(absl::string_view spelling) {
    if (SkipOperator(spelling)) return absl::OkStatus();
    return Fail(absl::StrFormat("expected '%s', got %s", spelling, Described()));
  }
  absl::Status Expect(Kind kind, absl::string_view what) {
    if (!At(kind)) return Fail(absl::StrFormat("expected %s, got %s", what, Described()));
    Next();
    return absl::OkStatus();
  }

  absl::Status Fail(absl::string_view what) const { return FailAt(line(), what); }
  static absl::Status FailAt(int line, absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrFormat("%d: %s", line, what));
  }

  /// What stands here, in words.
  std::string Described() const;

 private:
  const std::vector<TemplateToken>& tokens_;
  std::size_t at_ = 0;
};

}  // namespace baton
