// What Python's str knows of letters: white space, upper and lower case, what repr() prints as it
// is. Chat templates are written against it. All functions take UTF-8.
//
// Pure. The tables are made by tools/make_letter_tables.py.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace baton {

/// str.isspace() of one character.
bool IsSpace(char32_t code);

/// Without white space at that end.
absl::string_view StripLeft(absl::string_view text);
absl::string_view StripRight(absl::string_view text);

/// str.isprintable() of one character.
bool IsPrintable(char32_t code);

/// How a letter changes: what one character becomes, appended to `out`. Lower case depends on what
/// stands around (a capital sigma at a word's end), hence the whole text and the offset.
void AppendUpper(absl::string_view text, std::size_t at, std::string& out);
void AppendLower(absl::string_view text, std::size_t at, std::string& out);
void AppendTitle(absl::string_view text, std::size_t at, std::string& out);

/// A whole text in lower case: what sort, unique and dictsort compare.
std::string LowerOf(absl::string_view text);

/// Bytes of the line break at `at` as str.splitlines() sees them; 0: none.
std::size_t LineBreakBytes(absl::string_view text, std::size_t at);

}  // namespace baton
