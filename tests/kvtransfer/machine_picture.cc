#include "tests/kvtransfer/machine_picture.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"

namespace baton {
namespace {

// Pixels.
constexpr int kBoxWidth = 120;
constexpr int kBoxHeight = 34;
constexpr int kPitch = 270;  // from box to box
constexpr int kLine = 15;    // of text
constexpr int kMargin = 20;

using Events = std::vector<const char*>;

/// The events on each arrow, in the table's order.
std::map<std::pair<char, char>, Events> ArrowsOf(const MachineTable& table) {
  std::map<std::pair<char, char>, Events> arrows;
  for (const MachineRow& row : table.rows) {
    for (std::size_t i = 0; i < table.events.size(); ++i) {
      const char next = row.next[i];
      if (next == '-' || next == row.state) continue;
      Events& events = arrows[{row.state, next}];
      const bool known = std::find(events.begin(), events.end(), table.events[i]) != events.end();
      if (!known) events.push_back(table.events[i]);
    }
  }
  return arrows;
}

std::string Text(int x, int y, const char* anchor, const std::string& text) {
  return absl::StrFormat("<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
                         text);
}

std::string Box(int x, int y, int width, const char* name) {
  return absl::StrCat(
      absl::StrFormat("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", x, y,
                      width, kBoxHeight),
      Text(x + width / 2, y + kBoxHeight / 2 + 5, "middle", name));
}

std::string Arrow(int x1, int y1, int x2, int y2) {
  return absl::StrFormat(
      "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" marker-end=\"url(#end)\"/>\n", x1, y1, x2, y2);
}

/// Where things stand: the boxes in a row, failure as a bar below them.
class Canvas {
 public:
  explicit Canvas(const MachineTable& table) : table_(table), arrows_(ArrowsOf(table)) {
    std::size_t across = 0;
    std::size_t down = 0;
    for (const auto& [ends, events] : arrows_) {
      std::size_t& lines = ends.second == table.states.back().first ? down : across;
      lines = std::max(lines, events.size());
    }
    row_y_ = kMargin + static_cast<int>(across) * kLine;
    bar_y_ = row_y_ + kBoxHeight + static_cast<int>(down + 2) * kLine;
  }

  std::string Draw() const {
    const int last = static_cast<int>(table_.states.size()) - 2;
    const int width = last * kPitch + kBoxWidth;
    std::string out = absl::StrFormat(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
        "font-family=\"sans-serif\" "
        "font-size=\"12\">\n<defs><marker id=\"end\" markerWidth=\"9\" markerHeight=\"8\" "
        "refX=\"8\" refY=\"4\" orient=\"auto\"><path d=\"M0,0 L9,4 L0,8 z\"/></marker></defs>\n"
        "<style>rect{fill:#eef4fb;stroke:#345} line{stroke:#345}</style>\n",
        width + 2 * kMargin, bar_y_ + kBoxHeight + kMargin);
    for (int i = 0; i <= last; ++i) {
      out += Box(LeftOf(i), row_y_, kBoxWidth, table_.states[static_cast<std::size_t>(i)].second);
    }
    out += Box(kMargin, bar_y_, width, table_.states.back().second);
    for (const auto& [ends, events] : arrows_) out += DrawArrow(ends.first, ends.second, events);
    return out + "</svg>\n";
  }

 private:
  static int LeftOf(int column) { return kMargin + column * kPitch; }
  int ColumnOf(char state) const {
    const auto found = std::find_if(table_.states.begin(), table_.states.end(),
                                    [state](const auto& named) { return named.first == state; });
    BATON_CHECK(found != table_.states.end());
    return static_cast<int>(found - table_.states.begin());
  }

  std::string DrawArrow(char from, char to, const Events& events) const {
    const int column = ColumnOf(from);
    const int lines = static_cast<int>(events.size());
    std::string out;
    if (to == table_.states.back().first) {
      const int x = LeftOf(column) + kBoxWidth / 2;
      out = Arrow(x, row_y_ + kBoxHeight, x, bar_y_);
      for (int i = 0; i < lines; ++i) {
        out += Text(x + 8, row_y_ + kBoxHeight + (i + 1) * kLine + 4, "start",
                    events[static_cast<std::size_t>(i)]);
      }
      return out;
    }
    BATON_CHECK(ColumnOf(to) == column + 1);  // no other arrows: the picture has no place for them
    const int y = row_y_ + kBoxHeight / 2;
    out = Arrow(LeftOf(column) + kBoxWidth, y, LeftOf(column + 1), y);
    const int x = LeftOf(column) + kBoxWidth + (kPitch - kBoxWidth) / 2;
    for (int i = 0; i < lines; ++i) {
      out +=
          Text(x, y - 6 - (lines - 1 - i) * kLine, "middle", events[static_cast<std::size_t>(i)]);
    }
    return out;
  }

  const MachineTable& table_;
  const std::map<std::pair<char, char>, Events> arrows_;
  int row_y_ = 0;
  int bar_y_ = 0;
};

}  // namespace

std::string PictureOf(const MachineTable& table) { return Canvas(table).Draw(); }

std::string MarkdownOf(const MachineTable& table) {
  std::map<char, const char*> names(table.states.begin(), table.states.end());
  std::string out = "| |";
  for (const MachineRow& row : table.rows) absl::StrAppend(&out, " ", row.name, " |");
  out += "\n|---|";
  for (std::size_t i = 0; i < table.rows.size(); ++i) out += "---|";
  for (std::size_t event = 0; event < table.events.size(); ++event) {
    absl::StrAppend(&out, "\n| ", table.events[event], " |");
    for (const MachineRow& row : table.rows) {
      const char next = row.next[event];
      const char* cell = next == '-' ? "-" : next == row.state ? "" : names.at(next);
      absl::StrAppend(&out, " ", cell, cell[0] == '\0' ? "|" : " |");
    }
  }
  return out + "\n";
}

}  // namespace baton
