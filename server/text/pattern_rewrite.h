// Checks the pattern of a tokenizer.json, which was written for Oniguruma, and writes it anew for
// PCRE2 so that both match the same text. Properties, `\s` and `\d` become the characters that the
// published tokenizers know (unicode_tables.h). Whatever the two engines read differently, and
// whatever can take exponential time by itself, is refused by offset.
//
// Taken: alternation, ( ) (?: ) (?i: ) (?= ) (?! ), classes with ranges, \p{..} \s \d and negation,
// ? * + {m} {m,} {m,n}, lazy or possessive ? * +, $, and escapes. Not taken: everything else, such
// as back-references, recursion, look-behind, names, conditions, verbs, sets inside classes, ^ .
// \w.
//
// Pure.
// Source: Oniguruma 6.9 doc/RE, Ruby syntax; pcre2pattern(3).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton {

inline constexpr std::size_t kPatternBytesMax = 16 * 1024;
inline constexpr int kPatternGroupsMax = 32;  // inside each other

/// `pattern` is well-formed UTF-8. Errors: InvalidArgument with the offset in bytes.
absl::StatusOr<std::string> RewritePattern(absl::string_view pattern);

/// A pattern that matches exactly `text`, which is well-formed UTF-8.
std::string LiteralPattern(absl::string_view text);

/// A pattern for one character of what the Digits pre-tokenizer splits at.
std::string DigitsPattern();

}  // namespace baton
