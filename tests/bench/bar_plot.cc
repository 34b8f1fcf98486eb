#include "tests/bench/bar_plot.h"

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace baton::bench {
namespace {

// Pixels.
constexpr int kNames = 240;
constexpr int kBars = 420;
constexpr int kValues = 110;
constexpr int kRow = 26;
constexpr int kTop = 40;

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string Text(double x, double y, const char* anchor, const std::string& text) {
  return absl::StrFormat("<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
                         Escaped(text));
}

}  // namespace

std::string BarPlot::Svg() const {
  double most = 0;
  for (const Bar& bar : bars) most = std::max({most, bar.value, bar.most});
  const double scale = most > 0 ? kBars / most : 0;
  const int height = kTop + kRow * static_cast<int>(bars.size()) + 10;
  std::string out = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
      "font-size=\"13\">\n<style>rect{fill:#4a7db5} line{stroke:#123}</style>\n",
      kNames + kBars + kValues, height);
  out += Text(10, 22, "start", title);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const Bar& bar = bars[i];
    const double y = kTop + kRow * static_cast<double>(i);
    out += Text(kNames - 8, y + 14, "end", bar.name);
    absl::StrAppendFormat(&out,
                          "<rect x=\"%d\" y=\"%.0f\" width=\"%.1f\" height=\"%d\"/>\n<line "
                          "x1=\"%.1f\" y1=\"%.0f\" x2=\"%.1f\" y2=\"%.0f\"/>\n",
                          kNames, y, bar.value * scale, kRow - 8, kNames + bar.least * scale, y + 9,
                          kNames + bar.most * scale, y + 9);
    out += Text(kNames + std::max(bar.value, bar.most) * scale + 6, y + 14, "start",
                absl::StrFormat("%.2f %s", bar.value, unit));
  }
  return out + "</svg>\n";
}

absl::Status BarPlot::WriteTo(const std::string& file) const {
  std::ofstream out(file);
  out << Svg();
  out.close();
  if (out.good()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(file, ": cannot be written"));
}

}  // namespace baton::bench
