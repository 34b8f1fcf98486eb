// Reads tests/golden: prompts and expected values of one checkpoint.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/load_model.h"
#include "engine/model/checkpoint_files.h"

namespace baton::testing {

struct GoldenPrompt {
  std::string name;
  std::vector<TokenId> ids;
  std::vector<TokenId> greedy;
};

class GoldenValues {
 public:
  explicit GoldenValues(const std::string& model)
      : name_(model), file_(OpenOrDie(Root() + "/expected/" + model + ".safetensors")) {
    auto tensors = ParseSafetensors(file_->bytes());
    EXPECT_TRUE(tensors.ok()) << tensors.status();
    tensors_ = *std::move(tensors);
    const auto text = ReadSmallFile(Root() + "/expected/" + model + ".json", 1 << 20);
    EXPECT_TRUE(text.ok()) << text.status();
    auto json = ParseJson(*text);
    EXPECT_TRUE(json.ok()) << json.status();
    json_ = *std::move(json);
    for (const JsonValue& prompt : *json_.AsObject()->Find("prompts")->AsArray()) {
      const JsonObject& object = *prompt.AsObject();
      prompts_.push_back({*object.Find("name")->AsString(), Ids(*object.Find("ids")),
                          Ids(*object.Find("greedy"))});
    }
  }

  static std::string Root() { return BATON_SOURCE_DIR "/tests/golden"; }

  static std::unique_ptr<Model> Load(const std::string& model, const std::string& dtype) {
    ModelConfig config;
    config.path = Root() + "/models/" + model;
    config.dtype = dtype;
    auto loaded = LoadModel(config);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return loaded.ok() ? *std::move(loaded) : nullptr;
  }

  const std::string& name() const { return name_; }
  const std::vector<GoldenPrompt>& prompts() const { return prompts_; }

  std::vector<float> Floats(const std::string& name) const {
    const StoredTensor& tensor = tensors_.at(name);
    EXPECT_EQ(tensor.dtype, "F32") << name;
    std::vector<float> values(tensor.bytes.size() / sizeof(float));
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }

  std::vector<std::int32_t> Ints(const std::string& name) const {
    const StoredTensor& tensor = tensors_.at(name);
    EXPECT_EQ(tensor.dtype, "I32") << name;
    std::vector<std::int32_t> values(tensor.bytes.size() / sizeof(std::int32_t));
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }

  /// A token id of the top level, `none` where it is null.
  TokenId IdOr(const std::string& key, TokenId none) const {
    std::int64_t id = none;
    const JsonValue* value = json_.AsObject()->Find(key);
    EXPECT_TRUE(value->AsInt(&id) || value->is_null());
    return static_cast<TokenId>(id);
  }

  std::vector<TokenId> SortedIds(const std::string& key) const {
    std::vector<TokenId> ids = Ids(*json_.AsObject()->Find(key));
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  bool Has(const std::vector<std::string>& path) const {
    const JsonValue* value = &json_;
    for (const std::string& key : path) {
      value = value->AsObject()->Find(key);
      if (value == nullptr) return false;
    }
    return true;
  }

  /// A number inside nested objects, by its path.
  double Number(const std::vector<std::string>& path) const {
    const JsonValue* value = &json_;
    for (const std::string& key : path) value = value->AsObject()->Find(key);
    double number = 0;
    EXPECT_TRUE(value->AsDouble(&number));
    return number;
  }

 private:
  static std::unique_ptr<MappedFile> OpenOrDie(const std::string& path) {
    auto file = MappedFile::Open(path);
    EXPECT_TRUE(file.ok()) << file.status();
    return std::make_unique<MappedFile>(*std::move(file));
  }

  static std::vector<TokenId> Ids(const JsonValue& list) {
    std::vector<TokenId> ids;
    for (const JsonValue& item : *list.AsArray()) {
      std::int64_t id = 0;
      EXPECT_TRUE(item.AsInt(&id));
      ids.push_back(static_cast<TokenId>(id));
    }
    return ids;
  }

  const std::string name_;
  std::unique_ptr<MappedFile> file_;
  StoredTensors tensors_;
  JsonValue json_;
  std::vector<GoldenPrompt> prompts_;
};

}  // namespace baton::testing
