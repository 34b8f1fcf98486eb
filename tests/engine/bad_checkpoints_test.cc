// Ninety tiny directories, most of them broken (tests/golden/bad_cases.json): each is accepted or
// refused as it should be, with the words that help, and in little memory.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "base/json.h"
#include "engine/load_model.h"
#include "engine/model/checkpoint_files.h"

namespace baton {
namespace {

constexpr std::size_t kMemoryMax = std::size_t{64} << 20;  // beyond the files' own size
constexpr int kLoaded = 0;
constexpr int kRefused = 1;
constexpr int kMisworded = 2;

struct Case {
  std::string dir;
  std::optional<bool> accept;  // nothing: either will do
  std::vector<std::string> words;
  std::map<std::string, std::string> files;
};

// One character a byte: code points up to U+00FF as UTF-8.
std::string Latin1(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      bytes += utf8[i];
    } else {
      bytes += static_cast<char>(((lead & 3) << 6) | (static_cast<unsigned char>(utf8[++i]) & 63));
    }
  }
  return bytes;
}

std::int64_t Int(const JsonValue* value) {
  std::int64_t number = -1;
  EXPECT_TRUE(value != nullptr && value->AsInt(&number));
  return number;
}

// tools/pack_cases.py tells the format.
std::string Unpack(const JsonObject& file, const std::vector<std::string>& stored) {
  const std::string& like = stored.at(static_cast<std::size_t>(Int(file.Find("like"))));
  std::string bytes = like.substr(0, static_cast<std::size_t>(Int(file.Find("head"))));
  for (const JsonValue& run : *file.Find("runs")->AsArray()) {
    if (run.AsString() != nullptr) {
      bytes += Latin1(*run.AsString());
      continue;
    }
    const JsonArray& repeated = *run.AsArray();
    for (std::int64_t i = 0; i < Int(&repeated[1]); ++i) bytes += Latin1(*repeated[0].AsString());
  }
  return bytes + like.substr(like.size() - static_cast<std::size_t>(Int(file.Find("tail"))));
}

std::vector<Case> ReadCases() {
  const auto text = ReadSmallFile(BATON_SOURCE_DIR "/tests/golden/bad_cases.json", 1 << 20);
  EXPECT_TRUE(text.ok()) << text.status();
  const auto json = ParseJson(*text);
  EXPECT_TRUE(json.ok()) << json.status();
  std::vector<Case> cases;
  std::vector<std::string> stored = {""};
  for (const JsonValue& value : *json->AsArray()) {
    const JsonObject& object = *value.AsObject();
    Case made;
    made.dir = *object.Find("dir")->AsString();
    if (!object.Find("accept")->is_null()) made.accept = *object.Find("accept")->AsBool();
    for (const JsonValue& word : *object.Find("error_must_mention")->AsArray()) {
      made.words.push_back(*word.AsString());
    }
    for (const auto& [name, file] : object.Find("files")->AsObject()->members()) {
      stored.push_back(Unpack(*file.AsObject(), stored));
      made.files[name] = stored.back();
    }
    cases.push_back(std::move(made));
  }
  return cases;
}

class BadCheckpointsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  // Returns the directory; `bytes` becomes the size of all its files.
  std::string Write(const Case& made, std::size_t* bytes) const {
    std::filesystem::create_directories(root_ / made.dir);
    *bytes = 0;
    for (const auto& [name, content] : made.files) {
      std::ofstream(root_ / made.dir / name, std::ios::binary) << content;
      *bytes += content.size();
    }
    return (root_ / made.dir).string();
  }

  std::filesystem::path root_;
};

// How loading ends; prints what is wrong with the words of a refusal.
int Outcome(const Case& made, const std::string& directory) {
  ModelConfig config;
  config.path = directory;
  const auto model = LoadModel(config);
  if (model.ok()) return kLoaded;
  for (const std::string& word : made.words) {
    if (model.status().ToString().find(word) != std::string::npos) continue;
    std::fprintf(stderr, "%s: no \"%s\" in: %s\n", made.dir.c_str(), word.c_str(),
                 model.status().ToString().c_str());
    return kMisworded;
  }
  return kRefused;
}

// In a process of its own, so that a crash and its memory are this case's alone.
int OutcomeInChild(const Case& made, const std::string& directory, std::size_t* peak_bytes) {
  const pid_t child = fork();
  if (child == 0) _exit(Outcome(made, directory));
  int status = 0;
  struct rusage usage {};
  EXPECT_EQ(wait4(child, &status, 0, &usage), child);
  *peak_bytes = static_cast<std::size_t>(usage.ru_maxrss) * 1024;
  EXPECT_TRUE(WIFEXITED(status)) << made.dir << " ended by signal " << WTERMSIG(status);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(BadCheckpointsTest, EachCaseIsAcceptedOrRefusedInTheRightWordsAndInLittleMemory) {
  const std::vector<Case> cases = ReadCases();
  ASSERT_EQ(cases.size(), 90U);
  std::size_t bytes = 0;
  std::size_t before = 0;
  Case nowhere;
  OutcomeInChild(nowhere, "/nowhere", &before);
  for (const Case& made : cases) {
    const std::string directory = Write(made, &bytes);
    std::size_t peak = 0;
    const int outcome = OutcomeInChild(made, directory, &peak);
    EXPECT_NE(outcome, kMisworded) << made.dir;
    if (made.accept.has_value()) {
      EXPECT_EQ(outcome == kLoaded, *made.accept) << made.dir;
    }
    EXPECT_LT(peak, before + bytes + kMemoryMax) << made.dir;
  }
}

}  // namespace
}  // namespace baton
