// A checkpoint directory in a temporary place that a test can bend before it is loaded: begins
// empty or as a copy of a golden one.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/load_model.h"
#include "engine/model/checkpoint_files.h"

namespace baton::testing {

struct WrittenTensor {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::string bytes;
};

class CheckpointWriter {
 public:
  /// An empty directory.
  CheckpointWriter() {
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  explicit CheckpointWriter(const std::string& golden) : CheckpointWriter() {
    const std::string from = BATON_SOURCE_DIR "/tests/golden/models/" + golden;
    std::filesystem::copy(from + "/config.json", directory_ / "config.json");
    std::filesystem::copy(from + "/tokenizer.json", directory_ / "tokenizer.json");
    const auto files = CheckpointFiles::Open(from);
    EXPECT_TRUE(files.ok()) << files.status();
    for (const std::string& name : (*files)->Names()) {
      const StoredTensor& stored = *(*files)->Find(name);
      tensors[name] = {
          stored.dtype, stored.shape,
          std::string(reinterpret_cast<const char*>(stored.bytes.data()), stored.bytes.size())};
    }
  }
  ~CheckpointWriter() { std::filesystem::remove_all(directory_); }
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Writes those tensors whose name `belongs` as one safetensors file.
  template <typename Predicate>
  void WriteShard(const std::string& file, Predicate belongs) const {
    JsonObject header;
    std::string data;
    for (const auto& [name, tensor] : tensors) {
      if (!belongs(name)) continue;
      JsonArray shape;
      for (const std::int64_t dim : tensor.shape) shape.push_back(dim);
      const auto begin = static_cast<std::int64_t>(data.size());
      data += tensor.bytes;
      const auto end = static_cast<std::int64_t>(data.size());
      header.Insert(name, MakeJson({{"dtype", tensor.dtype},
                                    {"shape", shape},
                                    {"data_offsets", JsonArray{begin, end}}}));
    }
    const std::string text = WriteJson(header);
    const std::uint64_t length = text.size();
    std::string prefix(8, '\0');
    std::memcpy(prefix.data(), &length, 8);
    WriteFile(file, prefix + text + data);
  }

  void WriteAll() const {
    WriteShard("model.safetensors", [](const std::string&) { return true; });
  }

  void WriteFile(const std::string& name, const std::string& bytes) const {
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
  }

  absl::StatusOr<std::unique_ptr<Model>> Load(ModelConfig config = {}) const {
    config.path = directory_.string();
    return LoadModel(config);
  }

  std::filesystem::path directory() const { return directory_; }

  std::map<std::string, WrittenTensor> tensors;

 private:
  std::filesystem::path directory_;
};

}  // namespace baton::testing
