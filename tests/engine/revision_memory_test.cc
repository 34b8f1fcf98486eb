// A remembered revision counts only while nothing that it stands for has changed.
#include "engine/model/revision_memory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/digest.h"
#include "tests/engine/checkpoint_writer.h"

namespace baton {
namespace {

using testing::CheckpointWriter;

constexpr std::int64_t kLongAfter = 10 * RevisionMemory::kSettledNs;
const char kRevision[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

class RevisionMemoryTest : public ::testing::Test {
 protected:
  RevisionMemoryTest() : cache_(folder_.directory() / "cache"), memory_(cache_.string()) {}

  RevisionKey Key(const std::string& text = "shard a size 7\n") const {
    return {.model_directory = "/models/a", .text = text, .changed_ns = kLongAfter};
  }
  void Remember(const RevisionKey& key) const {
    ASSERT_TRUE(memory_.Remember(key, kRevision, 2 * kLongAfter).ok());
  }
  std::filesystem::path File() const {
    EXPECT_TRUE(std::filesystem::exists(cache_));
    return *std::filesystem::directory_iterator(cache_);
  }
  std::string Text() const {
    std::stringstream text;
    text << std::ifstream(File(), std::ios::binary).rdbuf();
    return text.str();
  }

  CheckpointWriter folder_;
  std::filesystem::path cache_;
  RevisionMemory memory_;
};

TEST_F(RevisionMemoryTest, WhatIsTheSameIsRecalled) {
  EXPECT_EQ(memory_.Recall(Key()), std::nullopt);
  Remember(Key());
  EXPECT_EQ(memory_.Recall(Key()), kRevision);
}

TEST_F(RevisionMemoryTest, AnythingElseIsNot) {
  Remember(Key());
  for (const char* text : {"", "shard a size 8\n", "shard a size 7\nshard b size 1\n", "shard a"}) {
    EXPECT_EQ(memory_.Recall(Key(text)), std::nullopt) << text;
  }
  RevisionKey elsewhere = Key();
  elsewhere.model_directory = "/models/b";
  EXPECT_EQ(memory_.Recall(elsewhere), std::nullopt);
}

TEST_F(RevisionMemoryTest, ADamagedFileIsNone) {
  Remember(Key());
  const std::string whole = Text();
  const std::filesystem::path file = File();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::ofstream(file, std::ios::binary) << damaged;
    ASSERT_EQ(memory_.Recall(Key()), std::nullopt) << "byte " << at;
    std::ofstream(file, std::ios::binary) << whole.substr(0, at);
    ASSERT_EQ(memory_.Recall(Key()), std::nullopt) << "cut at " << at;
  }
  std::ofstream(file, std::ios::binary) << whole;
  EXPECT_EQ(memory_.Recall(Key()), kRevision);
}

TEST_F(RevisionMemoryTest, AFileThatOthersMayWriteIsNotBelieved) {
  Remember(Key());
  ASSERT_EQ(chmod(File().c_str(), 0620), 0);
  EXPECT_EQ(memory_.Recall(Key()), std::nullopt);
  ASSERT_EQ(chmod(File().c_str(), 0600), 0);
  EXPECT_EQ(memory_.Recall(Key()), kRevision);
}

TEST_F(RevisionMemoryTest, FilesThatChangedAMomentAgoAreNotRemembered) {
  const std::int64_t soon = kLongAfter + RevisionMemory::kSettledNs - 1;
  ASSERT_TRUE(memory_.Remember(Key(), kRevision, soon).ok());
  EXPECT_EQ(memory_.Recall(Key()), std::nullopt);
  ASSERT_TRUE(memory_.Remember(Key(), kRevision, soon + 1).ok());
  EXPECT_EQ(memory_.Recall(Key()), kRevision);
}

TEST_F(RevisionMemoryTest, WithoutADirectoryNothingIsKept) {
  const RevisionMemory nowhere("");
  ASSERT_TRUE(nowhere.Remember(Key(), kRevision, 2 * kLongAfter).ok());
  EXPECT_EQ(nowhere.Recall(Key()), std::nullopt);
}

TEST_F(RevisionMemoryTest, ADirectoryThatCannotBeMadeIsAnError) {
  std::ofstream(folder_.directory() / "plain") << "x";
  const RevisionMemory memory((folder_.directory() / "plain" / "cache").string());
  EXPECT_FALSE(memory.Remember(Key(), kRevision, 2 * kLongAfter).ok());
}

// The same size, the old time of modification: as a careless copy, or somebody who hides a change.
TEST_F(RevisionMemoryTest, AWriteShowsInAFilesStateThoughItsTimeIsSetBack) {
  CheckpointWriter checkpoint("llama3");
  checkpoint.WriteAll();
  const std::string directory = checkpoint.directory().string();
  const std::filesystem::path shard = checkpoint.directory() / "model.safetensors";
  const auto time = std::filesystem::last_write_time(shard);
  const std::string before = (*CheckpointFiles::Open(directory))->StateText();
  EXPECT_EQ((*CheckpointFiles::Open(directory))->StateText(), before);
  checkpoint.WriteAll();
  std::filesystem::last_write_time(shard, time);
  EXPECT_NE((*CheckpointFiles::Open(directory))->StateText(), before);
}

// A revision that is planted with everything else in place: it comes back, so no byte was read for
// it. Without the memory, the bytes speak.
TEST_F(RevisionMemoryTest, ALoadBelievesWhatIsRememberedAndReadsNoByteForIt) {
  ModelConfig config;
  config.path = BATON_SOURCE_DIR "/tests/golden/models/llama3";
  const auto first = LoadModel(config, nullptr, cache_.string());
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string revision = (*first)->facts().revision;
  std::string text = Text();
  text.replace(text.find(revision), revision.size(), kRevision);
  const std::string body = text.substr(0, text.find("check "));
  Sha256 hash;
  hash.AddString(body);
  std::ofstream(File(), std::ios::binary) << body << "check " << ToHex(hash.Finish()) << "\n";
  EXPECT_EQ((*LoadModel(config, nullptr, cache_.string()))->facts().revision, kRevision);
  EXPECT_EQ((*LoadModel(config))->facts().revision, revision);
  config.revision = "stated";
  EXPECT_EQ((*LoadModel(config, nullptr, cache_.string()))->facts().revision, "stated");
}

}  // namespace
}  // namespace baton
