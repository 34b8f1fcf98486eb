// Literals inside a template's tags: names, strings with Python's escapes, numbers. Pure.
// Source: Jinja 3.1's lexer; Python Language Reference 2.4.1, string escapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace baton {

/// Bytes of the name that `text` begins with; 0 when it begins with none. Letters beyond ASCII are
/// not taken: no template of a model family names anything so.
std::size_t NameBytes(absl::string_view text);

/// Appends to `value` what the literal between two quotes means. Returns null, or what is wrong.
const char* ReadStringLiteral(absl::string_view literal, std::string& value);

struct NumberLiteral {
  std::size_t bytes = 0;  // of the literal; 0: an integer beyond 64 bits
  bool is_real = false;
  std::int64_t integer = 0;
  double real = 0;
};

/// The number that `text` begins with (a digit). `may_be_real` is false after a dot: `a.1.5` are
/// two indexes.
NumberLiteral ReadNumberLiteral(absl::string_view text, bool may_be_real);

}  // namespace baton
