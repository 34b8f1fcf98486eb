// Our own small tree of a YAML text: what was written and where, nothing interpreted. yaml-cpp's
// nodes hide duplicate keys, quotes, second documents and the difference of null and "null", and
// aliases make them graphs; so its events fill this in config/load.cc, and what we refuse is
// refused as it arrives.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace baton {

/// A scalar keeps its text as written (`5GiB`, `017`, `True`); only its reader knows its type.
struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  std::string text;     // kScalar
  bool quoted = false;  // kScalar: 'x' and "x" are text whatever they look like
  int line = 0;         // of the key, for a map's value; from 1
  int column = 0;
  std::vector<YamlNode> items;    // kList: the items; kMap: the values
  std::vector<std::string> keys;  // kMap: parallel to `items`
};

/// A refusal, at its line (0: the text as a whole).
struct YamlError {
  int line = 0;
  std::string message;
};

/// What a text may cost. A bomb costs its bytes.
struct YamlLimits {
  std::size_t bytes_max = 1 << 20;
  std::size_t events_max = 100'000;
  std::size_t depth_max = 32;
  std::size_t errors_max = 100;
};

struct YamlTree {
  YamlNode root;  // kNull for an empty text
  std::vector<YamlError> errors;
};

/// Reads one YAML document. Refused, each with its line: anchors, aliases, tags, merge keys, keys
/// that are no text, duplicate keys, a second document, and whatever passes a limit. The tree holds
/// what could be read beside the errors, so that a caller can go on and find more.
YamlTree ParseYaml(absl::string_view text, const YamlLimits& limits = {});

/// "the text 'abc'", "a list", "a map", "nothing": for messages. Long text is cut, control bytes
/// are escaped.
std::string DescribeNode(const YamlNode& node);

}  // namespace baton
