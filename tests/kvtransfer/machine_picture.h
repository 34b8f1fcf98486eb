// A transition table as people read it: a picture, and a table in Markdown.
#pragma once

#include <string>

#include "tests/kvtransfer/machine_table.h"

namespace baton {

/// SVG: states as boxes, each arrow with the events that lead along it. Rows of one state are one
/// box.
std::string PictureOf(const MachineTable& table);

/// Events down, states across; empty where the state stays.
std::string MarkdownOf(const MachineTable& table);

}  // namespace baton
