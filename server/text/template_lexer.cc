#include "server/text/template_lexer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_format.h"
#include "server/text/template_letters.h"
#include "server/text/template_literals.h"

namespace baton {
namespace {

using Kind = TemplateToken::Kind;

// Every newline is \n, and one at the very end does not count.
std::string Normalized(absl::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
      continue;
    }
    out += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

constexpr std::array<absl::string_view, 26> kOperators = {
    "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<",
    ">",  "=",  ".",  ",",  ":",  "|",  "(", ")", "[", "]", "{", "}", ";"};

class Lexer {
 public:
  explicit Lexer(absl::string_view source) : source_(source) {}

  absl::Status Run() {
    while (at_ < source_.size()) {
      if (absl::Status status = Text(); !status.ok()) return status;
    }
    Add(Kind::kEnd, {});
    return absl::OkStatus();
  }

  std::vector<TemplateToken> Take() { return std::move(tokens_); }

 private:
  absl::Status Fail(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrFormat("%d: %s", line_, what));
  }

  absl::string_view Rest() const { return absl::string_view(source_).substr(at_); }
  bool Sees(absl::string_view word) const { return Rest().substr(0, word.size()) == word; }

  void Advance(std::size_t bytes) {
    const auto begin = source_.begin() + static_cast<std::ptrdiff_t>(at_);
    line_ += static_cast<int>(std::count(begin, begin + static_cast<std::ptrdiff_t>(bytes), '\n'));
    at_ += bytes;
  }

  TemplateToken& Add(Kind kind, std::string text) {
    TemplateToken token;
    token.kind = kind;
    token.text = std::move(text);
    token.line = line_;
    return tokens_.emplace_back(std::move(token));
  }

  void SkipSpace() { Advance(Rest().size() - StripLeft(Rest()).size()); }

  static std::size_t FindTag(absl::string_view text) {
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      if (text[i] == '{' && (text[i + 1] == '{' || text[i + 1] == '%' || text[i + 1] == '#')) {
        return i;
      }
    }
    return absl::string_view::npos;
  }

  // The text before a tag, as the tag's white space mark (or lstrip_blocks) leaves it.
  absl::string_view Trimmed(absl::string_view text, char mark, bool print) const {
    if (mark == '-') return StripRight(text);
    if (mark == '+' || print) return text;
    const std::size_t line_begin = text.rfind('\n') + 1;  // npos + 1 is 0
    if (line_begin == 0 && !line_starting_) return text;
    const absl::string_view lead = text.substr(line_begin);
    return StripLeft(lead).empty() ? text.substr(0, line_begin) : text;
  }

  absl::Status Text() {
    const std::size_t tag = FindTag(Rest());
    if (tag == absl::string_view::npos) {
      Add(Kind::kText, std::string(Rest()));
      Advance(Rest().size());
      return absl::OkStatus();
    }
    const absl::string_view text = Rest().substr(0, tag);
    const char sort = Rest()[tag + 1];
    const char after = tag + 2 < Rest().size() ? Rest()[tag + 2] : ' ';
    const char mark = after == '-' || after == '+' ? after : ' ';
    const absl::string_view kept = Trimmed(text, mark, sort == '{');
    if (!kept.empty()) Add(Kind::kText, std::string(kept));
    Advance(tag + (mark == ' ' ? 2 : 3));
    if (sort == '#') return Comment();
    return Tag(sort == '{');
  }

  // What follows a tag's end: `-` takes all white space, a block's or comment's end its newline.
  void EndTag(bool minus, bool newline) {
    const std::size_t begin = at_;
    if (minus) {
      SkipSpace();
    } else if (newline && Sees("\n")) {
      Advance(1);
    }
    line_starting_ = at_ > begin && source_[at_ - 1] == '\n';
  }

  absl::Status Comment() {
    const std::size_t end = Rest().find("#}");
    if (end == absl::string_view::npos) return Fail("a comment {# is not closed");
    const char mark = end > 0 ? Rest()[end - 1] : ' ';
    Advance(end + 2);
    EndTag(mark == '-', mark != '+');
    return absl::OkStatus();
  }

  absl::Status Tag(bool print) {
    Add(print ? Kind::kPrintBegin : Kind::kBlockBegin, {});
    const std::string close = print ? "}}" : "%}";
    open_.clear();
    for (;;) {
      SkipSpace();
      if (at_ >= source_.size()) return Fail("the template ends inside a tag");
      if (open_.empty()) {
        const bool minus = Sees("-" + close);
        const bool plus = !print && Sees("+" + close);
        if (minus || plus || Sees(close)) {
          Add(print ? Kind::kPrintEnd : Kind::kBlockEnd, {});
          Advance(minus || plus ? 3 : 2);
          EndTag(minus, !print && !plus);
          return absl::OkStatus();
        }
      }
      if (absl::Status status = Token(); !status.ok()) return status;
    }
  }

  absl::Status Token() {
    const char c = Rest()[0];
    if (c == '\'' || c == '"') return String(c);
    if (c >= '0' && c <= '9') return Number();
    const std::size_t name = NameBytes(Rest());
    if (name > 0) {
      Add(Kind::kName, std::string(Rest().substr(0, name)));
      Advance(name);
      return absl::OkStatus();
    }
    for (const absl::string_view spelling : kOperators) {
      if (Sees(spelling)) return Operator(spelling);
    }
    return Fail("a character that no expression can hold");
  }

  absl::Status Operator(absl::string_view spelling) {
    const char c = spelling[0];
    if (c == '(' || c == '[' || c == '{') {
      open_ += c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
      if (open_.empty() || open_.back() != c) {
        return Fail(absl::StrFormat("an unexpected '%s'", spelling));
      }
      open_.pop_back();
    }
    Add(Kind::kOperator, std::string(spelling));
    Advance(spelling.size());
    return absl::OkStatus();
  }

  absl::Status String(char quote) {
    std::size_t end = 1;
    while (end < Rest().size() && Rest()[end] != quote) end += Rest()[end] == '\\' ? 2 : 1;
    if (end >= Rest().size()) return Fail("a string is not closed");
    std::string value;
    if (const char* wrong = ReadStringLiteral(Rest().substr(1, end - 1), value)) return Fail(wrong);
    Add(Kind::kString, std::move(value));
    Advance(end + 1);
    return absl::OkStatus();
  }

  absl::Status Number() {
    const bool after_dot = !tokens_.empty() && tokens_.back().IsOperator(".");
    const NumberLiteral number = ReadNumberLiteral(Rest(), !after_dot);
    if (number.bytes == 0) return Fail("a number beyond 64 bits");
    TemplateToken& token = Add(number.is_real ? Kind::kFloat : Kind::kInteger, {});
    token.integer = number.integer;
    token.real = number.real;
    Advance(number.bytes);
    return absl::OkStatus();
  }

  const std::string source_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
  std::string open_;  // closing brackets awaited: `}}` inside them ends no tag
  std::vector<TemplateToken> tokens_;
};

}  // namespace

absl::StatusOr<std::vector<TemplateToken>> LexTemplate(absl::string_view source) {
  Lexer lexer(Normalized(source));
  if (absl::Status status = lexer.Run(); !status.ok()) return status;
  return lexer.Take();
}

}  // namespace baton
