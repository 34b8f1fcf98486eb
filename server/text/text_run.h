// A piece of a prompt with where it came from: what keeps text that a user typed from ever becoming
// a control token.
#pragma once

#include <string>

namespace baton {

/// Neighbouring runs stand for one text, in order.
struct TextRun {
  std::string text;
  /// Written by the operator's template: added and special tokens in it are parsed. Otherwise it
  /// came with the request: it stays text, and no control token straddles its borders.
  bool trusted = false;
};

}  // namespace baton
