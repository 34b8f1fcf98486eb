#include "server/text/pattern_rewrite.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/unicode_tables.h"
#include "server/text/utf8.h"

namespace baton {
namespace {

constexpr int kRepeatsMax = 1000;

// White_Space of every Unicode since 6.3; PCRE2's own \s also takes U+180E.
constexpr absl::string_view kSpaces =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

std::string CodeEscape(char32_t code) {
  return absl::StrFormat("\\x{%x}", static_cast<unsigned>(code));
}

const PropertyAdditions* FindProperty(absl::string_view name) {
  for (const PropertyAdditions& property : UnicodeAdditions()) {
    if (property.name == name) return &property;
  }
  return nullptr;
}

std::string RangesText(std::span<const CodeRange> ranges) {
  std::string text;
  for (const CodeRange& range : ranges) {
    absl::StrAppend(&text, CodeEscape(range.first));
    if (range.last != range.first) absl::StrAppend(&text, "-", CodeEscape(range.last));
  }
  return text;
}

/// One pass over the pattern; every method takes what begins at at_ and appends to out_.
class PatternRewriter {
 public:
  explicit PatternRewriter(absl::string_view pattern) : pattern_(pattern) {}

  absl::StatusOr<std::string> Rewrite() {
    while (at_ < pattern_.size()) BATON_RETURN_IF_ERROR(TakeOne());
    if (!groups_.empty()) return Refuse("a group is not closed");
    return std::move(out_);
  }

 private:
  struct Group {
    bool looks_ahead = false;
    bool any_case = false;
  };

  absl::Status Refuse(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrFormat("pattern, offset %d: %s", at_, what));
  }

  bool Next(absl::string_view text) const { return absl::StartsWith(pattern_.substr(at_), text); }

  bool Skip(absl::string_view text) {
    if (!Next(text)) return false;
    at_ += text.size();
    return true;
  }

  bool any_case() const { return !groups_.empty() && groups_.back().any_case; }

  absl::Status TakeOne() {
    switch (pattern_[at_]) {
      case '(':
        return TakeGroup();
      case ')':
        return TakeGroupEnd();
      case '[':
        return TakeClass();
      case '\\':
        return TakeEscape();
      case '?':
      case '*':
      case '+':
      case '{':
        return TakeRepeat();
      case '|':
      case '$':
        out_ += pattern_[at_++];
        return Settle(false);
      case '^':
      case '.':
        return Refuse("^ and . are not supported");
      default:
        return TakeLiteral();
    }
  }

  absl::Status Settle(bool repeatable) {
    repeatable_ = repeatable;
    previous_letter_ = 0;
    return absl::OkStatus();
  }

  absl::Status TakeGroup() {
    if (static_cast<int>(groups_.size()) == kPatternGroupsMax) return Refuse("too many groups");
    Group group{false, any_case()};
    if (Skip("(?i:")) {
      group.any_case = true;
      out_ += "(?i:";
    } else if (Next("(?=") || Next("(?!")) {
      group.looks_ahead = true;
      absl::StrAppend(&out_, pattern_.substr(at_, 3));
      at_ += 3;
    } else if (Skip("(?:") || (!Next("(?") && !Next("(*") && Skip("("))) {
      out_ += "(?:";
    } else {
      return Refuse("only (?: (?i: (?= (?! and plain groups are supported");
    }
    groups_.push_back(group);
    return Settle(false);
  }

  absl::Status TakeGroupEnd() {
    if (groups_.empty()) return Refuse("no group is open");
    const bool looks_ahead = groups_.back().looks_ahead;
    groups_.pop_back();
    ++at_;
    out_ += ')';
    return Settle(!looks_ahead);
  }

  absl::Status TakeRepeat() {
    if (!repeatable_) return Refuse("nothing here can be repeated");
    if (Next("{")) {
      BATON_RETURN_IF_ERROR(TakeCounts());
    } else {
      out_ += pattern_[at_++];
      if (Next("?") || Next("+")) out_ += pattern_[at_++];  // lazy, possessive
    }
    return Settle(false);
  }

  // {m} {m,} {m,n}. The engines differ on {,n} and on what a ? or + after the braces means; the
  // caller's Settle(false) refuses the latter.
  absl::Status TakeCounts() {
    const std::size_t end = pattern_.find('}', at_);
    if (end == absl::string_view::npos) return Refuse("a repeat is not closed");
    const absl::string_view counts = pattern_.substr(at_ + 1, end - at_ - 1);
    const std::size_t comma = counts.find(',');
    const absl::string_view low = counts.substr(0, comma);
    const absl::string_view high =
        comma == absl::string_view::npos ? low : counts.substr(comma + 1);
    int low_count = 0;
    int high_count = kRepeatsMax;
    const bool read =
        absl::SimpleAtoi(low, &low_count) && (high.empty() || absl::SimpleAtoi(high, &high_count));
    const bool digits = counts.find_first_not_of("0123456789,") == absl::string_view::npos;
    if (!read || !digits || low_count > high_count || high_count > kRepeatsMax) {
      return Refuse(
          absl::StrFormat("a repeat must be {m}, {m,} or {m,n}, at most %d", kRepeatsMax));
    }
    absl::StrAppend(&out_, pattern_.substr(at_, end + 1 - at_));
    at_ = end + 1;
    return absl::OkStatus();
  }

  absl::Status TakeLiteral() {
    const Utf8Character letter = CharacterAt(pattern_, at_);
    if (any_case()) BATON_RETURN_IF_ERROR(CheckAnyCase(letter.code));
    out_ += CodeEscape(letter.code);
    at_ += letter.bytes;
    const char32_t code = letter.code;
    BATON_RETURN_IF_ERROR(Settle(true));
    previous_letter_ = code;
    return absl::OkStatus();
  }

  // Oniguruma lets one character match two letters there (U+00DF for ss, ligatures); PCRE2 does
  // not.
  absl::Status CheckAnyCase(char32_t code) const {
    if (code >= 0x80) return Refuse("(?i: is supported for ASCII alone");
    const char pair[] = {absl::ascii_tolower(static_cast<unsigned char>(previous_letter_)),
                         absl::ascii_tolower(static_cast<unsigned char>(code)), 0};
    for (const absl::string_view folded : {"ss", "ff", "fi", "fl", "st"}) {
      if (folded == pair) return Refuse("(?i: with ss, ff, fi, fl or st is not supported");
    }
    return absl::OkStatus();
  }

  absl::Status TakeEscape() {
    if (any_case()) return Refuse("escapes inside (?i: are not supported");
    std::string set;
    char32_t code = 0;
    const bool negated = Next("\\P") || Next("\\S") || Next("\\D");
    BATON_ASSIGN_OR_RETURN(const bool is_set, ReadEscape(set, code));
    absl::StrAppend(&out_,
                    is_set ? absl::StrCat(negated ? "[^" : "[", set, "]") : CodeEscape(code));
    return Settle(true);
  }

  // Reads one escape: a set's characters, as they stand inside a class, or one code point.
  absl::StatusOr<bool> ReadEscape(std::string& set, char32_t& code) {
    if (Skip("\\s") || Skip("\\S")) {
      set = std::string(kSpaces);
      return true;
    }
    if (Skip("\\d") || Skip("\\D")) {
      set = PropertySet(*FindProperty("Nd"));
      return true;
    }
    if (Next("\\p") || Next("\\P")) {
      BATON_RETURN_IF_ERROR(ReadProperty(set));
      return true;
    }
    BATON_RETURN_IF_ERROR(ReadCodeEscape(code));
    return false;
  }

  static std::string PropertySet(const PropertyAdditions& property) {
    return absl::StrCat("\\p{", property.name, "}", RangesText(property.ranges));
  }

  absl::Status ReadProperty(std::string& set) {
    const std::size_t end = pattern_.find('}', at_);
    if (at_ + 2 >= pattern_.size() || pattern_[at_ + 2] != '{' || end == absl::string_view::npos) {
      return Refuse("a property is written \\p{L}");
    }
    const PropertyAdditions* property = FindProperty(pattern_.substr(at_ + 3, end - at_ - 3));
    if (property == nullptr || property->name == "Digits") {
      return Refuse("this property is not supported; the general categories but Mn, C and Cn are");
    }
    set = PropertySet(*property);
    at_ = end + 1;
    return absl::OkStatus();
  }

  absl::Status ReadCodeEscape(char32_t& code) {
    if (Next("\\x")) return ReadHex(2, 2, 0x7F, code);  // from 80 on Oniguruma means a byte
    if (Next("\\u")) return ReadHex(4, 4, 0xFFFF, code);
    if (at_ + 1 >= pattern_.size()) return Refuse("the pattern ends inside an escape");
    const char escaped = pattern_[at_ + 1];
    constexpr absl::string_view kNames = "rntfae";
    constexpr absl::string_view kCodes = "\r\n\t\f\a\x1b";
    const std::size_t name = kNames.find(escaped);
    if (name != absl::string_view::npos) {
      code = static_cast<unsigned char>(kCodes[name]);
    } else if (absl::ascii_ispunct(static_cast<unsigned char>(escaped)) || escaped == ' ') {
      code = static_cast<unsigned char>(escaped);
    } else {
      return Refuse("this escape is not supported");
    }
    at_ += 2;
    return absl::OkStatus();
  }

  // \x41, \x{41} and \u0041.
  absl::Status ReadHex(std::size_t digits_min, std::size_t digits_max, unsigned plain_max,
                       char32_t& code) {
    const absl::string_view rest = pattern_.substr(at_ + 2);
    const bool braces = absl::StartsWith(rest, "{") && digits_min == 2;
    const std::size_t end = braces ? rest.find('}') : digits_max;
    if (end == absl::string_view::npos || end > rest.size()) return Refuse("this escape is cut");
    const absl::string_view digits = rest.substr(braces ? 1 : 0, braces ? end - 1 : digits_max);
    unsigned value = 0;
    if (digits.find_first_not_of("0123456789abcdefABCDEF") != absl::string_view::npos ||
        !absl::SimpleHexAtoi(digits, &value) || value > (braces ? 0x10FFFFU : plain_max) ||
        (value >= 0xD800 && value < 0xE000)) {
      return Refuse("this escape names no character that both engines agree on");
    }
    code = value;
    at_ += 2 + end + (braces ? 1 : 0);
    return absl::OkStatus();
  }

  absl::Status TakeClass() {
    if (any_case()) return Refuse("classes inside (?i: are not supported");
    ++at_;
    out_ += '[';
    if (Skip("^")) out_ += '^';
    if (Next("]")) return Refuse("an empty class is not supported");
    while (!Next("]")) BATON_RETURN_IF_ERROR(TakeClassItem());
    ++at_;
    out_ += ']';
    return Settle(true);
  }

  absl::Status TakeClassItem() {
    if (at_ == pattern_.size()) return Refuse("a class is not closed");
    if (Next("[") || Next("&&")) return Refuse("sets inside a class are not supported");
    if (Next("\\S") || Next("\\D") || Next("\\P")) {
      return Refuse("a negated set inside a class is not supported");
    }
    std::string set;
    char32_t first = 0;
    BATON_ASSIGN_OR_RETURN(const bool is_set, ReadClassItem(set, first));
    const bool range = Next("-") && !Next("-]");
    if (is_set && range) return Refuse("a range must begin with a character");
    if (is_set) {
      out_ += set;
      return absl::OkStatus();
    }
    out_ += CodeEscape(first);
    if (!range) return absl::OkStatus();
    ++at_;
    char32_t last = 0;
    if (Next("[")) return Refuse("sets inside a class are not supported");
    BATON_ASSIGN_OR_RETURN(const bool ends_with_set, ReadClassItem(set, last));
    if (ends_with_set || last < first) return Refuse("a range must end with a later character");
    absl::StrAppend(&out_, "-", CodeEscape(last));
    return absl::OkStatus();
  }

  absl::StatusOr<bool> ReadClassItem(std::string& set, char32_t& code) {
    if (at_ == pattern_.size()) return Refuse("a class is not closed");
    if (Next("\\")) return ReadEscape(set, code);
    const Utf8Character letter = CharacterAt(pattern_, at_);
    code = letter.code;
    at_ += letter.bytes;
    return false;
  }

  const absl::string_view pattern_;
  std::size_t at_ = 0;
  std::string out_;
  std::vector<Group> groups_;
  bool repeatable_ = false;       // what stands before can be repeated
  char32_t previous_letter_ = 0;  // the literal that stands before, or 0
};

}  // namespace

absl::StatusOr<std::string> RewritePattern(absl::string_view pattern) {
  if (pattern.size() > kPatternBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat("a pattern of %d bytes; %d are the most",
                                                      pattern.size(), kPatternBytesMax));
  }
  return PatternRewriter(pattern).Rewrite();
}

std::string LiteralPattern(absl::string_view text) {
  std::string pattern;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character letter = CharacterAt(text, at);
    pattern += CodeEscape(letter.code);
    at += letter.bytes;
  }
  return pattern;
}

std::string DigitsPattern() {
  return absl::StrCat("[\\p{N}", RangesText(FindProperty("Digits")->ranges), "]");
}

}  // namespace baton
