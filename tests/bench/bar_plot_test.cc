#include "tests/bench/bar_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::bench {
namespace {

using ::testing::HasSubstr;

TEST(BarPlotTest, BarsAreToOneScale) {
  const BarPlot plot{"t", "GB/s", {{"one", 2, 2, 2}, {"half", 1, 1, 1}}};
  const std::string svg = plot.Svg();
  EXPECT_THAT(svg, HasSubstr("width=\"420.0\""));
  EXPECT_THAT(svg, HasSubstr("width=\"210.0\""));
  EXPECT_THAT(svg, HasSubstr(">2.00 GB/s<"));
}

TEST(BarPlotTest, TheSpreadFitsThePlot) {
  const BarPlot plot{"t", "", {{"one", 1, 0.5, 4}}};
  EXPECT_THAT(plot.Svg(), HasSubstr("x1=\"292.5\" y1=\"49\" x2=\"660.0\""));
}

TEST(BarPlotTest, NamesAreText) {
  const BarPlot plot{"a < b & c", "", {{"<script>", 1, 1, 1}}};
  EXPECT_THAT(plot.Svg(), HasSubstr("a &lt; b &amp; c"));
  EXPECT_EQ(plot.Svg().find("<script>"), std::string::npos);
}

TEST(BarPlotTest, NothingToShowIsAnEmptyPlot) {
  EXPECT_THAT((BarPlot{"t", "", {{"zero", 0, 0, 0}}}.Svg()), HasSubstr("width=\"0.0\""));
}

TEST(BarPlotTest, AFileThatCannotBeWrittenIsAnError) {
  EXPECT_FALSE(BarPlot{}.WriteTo("/nowhere/plot.svg").ok());
}

}  // namespace
}  // namespace baton::bench
