// The pictures and tables of docs/handoff.md are those of the tables that the machines' tests hold
// the code to.
#include "tests/kvtransfer/machine_picture.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace baton {
namespace {

std::string FileOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class MachinePictureTest : public testing::TestWithParam<MachineTable> {};

TEST_P(MachinePictureTest, TheDocumentShowsTheTable) {
  const std::string document = FileOf(BATON_SOURCE_DIR "/docs/handoff.md");
  const std::string wanted = MarkdownOf(GetParam());
  EXPECT_NE(document.find(wanted), std::string::npos) << "docs/handoff.md must hold:\n" << wanted;
  EXPECT_NE(document.find("(handoff_" + GetParam().name + ".svg)"), std::string::npos);
}

TEST_P(MachinePictureTest, ThePictureIsTheTable) {
  const std::string file = "/handoff_" + GetParam().name + ".svg";
  const std::string wanted = PictureOf(GetParam());
  if (FileOf(BATON_SOURCE_DIR "/docs" + file) == wanted) return;
  std::ofstream(BATON_BINARY_DIR + file) << wanted;
  FAIL() << "docs" << file << " is not the picture of the table: look at " << BATON_BINARY_DIR
         << file << ", and copy it";
}

INSTANTIATE_TEST_SUITE_P(BothEnds, MachinePictureTest,
                         testing::Values(SenderTable(), ReceiverTable()),
                         [](const auto& machine) { return machine.param.name; });

TEST(MachineTableTest, EveryRowAnswersEveryEventByAStateThatExists) {
  for (const MachineTable& table : {SenderTable(), ReceiverTable()}) {
    std::string letters = "-";
    for (const auto& [letter, name] : table.states) letters += letter;
    for (const MachineRow& row : table.rows) {
      ASSERT_EQ(std::string(row.next).size(), table.events.size()) << row.name;
      EXPECT_EQ(std::string(row.next).find_first_not_of(letters), std::string::npos) << row.name;
    }
  }
}

}  // namespace
}  // namespace baton
