// Mutated files from one seed: whatever an operator's file holds, the loader answers with a
// configuration or with errors, never with a crash.
#include <gtest/gtest.h>

#include <random>

#include "config/effective.h"
#include "config/load.h"
#include "config/tree.h"

namespace baton {
namespace {

constexpr char kSeedFile[] =
    "model: {path: 'builtin:recall', served_names: [a, b]}\n"
    "router:\n  port: 8000\n  classes: {batch: {ttft_ms: 7}}\n  retries: {max: 2}\n"
    "nixl_role: sender\nnixl_buffer_size: 1GiB\npd_proxy_host: 127.0.0.1\n"
    "extra_config: {a: [1, {b: ~}], 'c': .inf}\nlocal_disk: [/a, \"/b\"]\nmax_local_disk_size: "
    "2\nchunk_size: 1_024\n";

std::string Mutated(std::mt19937& random) {
  static constexpr const char* kPieces[] = {
      "[",  "]",     "{",  "}", ": ", "- ",   "\n",  "  ", "'", "\"", "#", "&a ",  "*a", "!t ",
      "<<", "---\n", "? ", "~", "\t", "\xff", "|\n", ">",  "%", "@",  "0", "port", ","};
  std::string text = kSeedFile;
  const int mutations = 1 + static_cast<int>(random() % 3);
  for (int i = 0; i < mutations; ++i) {
    const std::size_t at = random() % text.size();
    if (random() % 3 == 0) {
      text.erase(at, 1 + random() % 8);
    } else {
      text.insert(at, kPieces[random() % std::size(kPieces)]);
    }
    if (text.empty()) text = " ";
  }
  return text;
}

TEST(MutationTest, ParserNeverCrashesAndKeepsItsLimits) {
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const YamlTree tree = ParseYaml(Mutated(random));
    refused += tree.errors.empty() ? 0 : 1;
    EXPECT_LE(tree.errors.size(), YamlLimits().errors_max + 1);
  }
  EXPECT_GT(refused, 300);   // the mutations do hurt
  EXPECT_LT(refused, 2900);  // and leave some files whole
}

TEST(MutationTest, LoaderGivesAConfigurationOrErrors) {
  std::mt19937 random(2);
  int loaded_files = 0;
  for (int i = 0; i < 300; ++i) {
    LoadInputs inputs;
    inputs.file_name = "f.yaml";
    inputs.file_text = Mutated(random);
    const auto loaded = LoadConfig(inputs);
    if (!loaded.ok()) {
      EXPECT_EQ(loaded.status().code(), absl::StatusCode::kInvalidArgument);
      continue;
    }
    ++loaded_files;
    EXPECT_FALSE(EffectiveYaml(*loaded).empty());
  }
  EXPECT_GT(loaded_files, 10);
}

}  // namespace
}  // namespace baton
