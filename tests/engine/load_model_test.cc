// Directories as they come: broken ones are refused by name, odd ones load, and the revision
// follows every byte.
#include "engine/load_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/common/float_bits.h"
#include "tests/engine/checkpoint_writer.h"
#include "tests/engine/forward_runner.h"

namespace baton {
namespace {

using testing::CheckpointWriter;
using testing::ForwardRunner;
using testing::WrittenTensor;

constexpr char kQuery[] = "model.layers.0.self_attn.q_proj.weight";
constexpr char kIndex[] = "model.safetensors.index.json";

void ExpectRefused(const CheckpointWriter& checkpoint, const std::string& word,
                   const ModelConfig& config = {}) {
  const auto model = checkpoint.Load(config);
  ASSERT_FALSE(model.ok()) << word;
  EXPECT_NE(model.status().ToString().find(word), std::string::npos) << model.status();
}

std::vector<float> LogitsOf(const CheckpointWriter& checkpoint) {
  const auto model = checkpoint.Load();
  EXPECT_TRUE(model.ok()) << model.status();
  return ForwardRunner(**model, ReferenceBackend(), 64).Feed({1, 2, 3, 4, 5, 6, 7});
}

// bf16 bytes as fp32 bytes: the same numbers.
std::string Widen(const std::string& narrow) {
  std::string wide;
  for (std::size_t i = 0; i < narrow.size(); i += 2)
    wide += std::string(2, '\0') + narrow.substr(i, 2);
  return wide;
}

TEST(LoadModelTest, AModelThatIsNotThereIsNotFound) {
  ModelConfig config;
  config.path = "/nowhere/at/all";
  EXPECT_EQ(LoadModel(config).status().code(), absl::StatusCode::kNotFound);
  config.path = "builtin:nothing";
  EXPECT_EQ(LoadModel(config).status().code(), absl::StatusCode::kNotFound);
}

TEST(LoadModelTest, TensorsThatAreMissingMisshapenOrUnusedAreNamed) {
  CheckpointWriter missing("v2_mscales");
  missing.tensors.erase(kQuery);
  missing.WriteAll();
  ExpectRefused(missing, kQuery);

  CheckpointWriter misshapen("v2_mscales");
  std::swap(misshapen.tensors[kQuery].shape[0], misshapen.tensors[kQuery].shape[1]);
  misshapen.WriteAll();
  ExpectRefused(misshapen, kQuery);

  CheckpointWriter unused("v2_mscales");
  unused.tensors["model.layers.7.self_attn.q_proj.weight"] = unused.tensors[kQuery];
  unused.WriteAll();
  ExpectRefused(unused, "model.layers.7.self_attn.q_proj.weight");

  CheckpointWriter integer("v2_mscales");
  integer.tensors[kQuery].dtype = "I16";
  integer.WriteAll();
  ExpectRefused(integer, "I16");
}

TEST(LoadModelTest, OnlyTheFirstFiveNamesAreShown) {
  CheckpointWriter empty("v2_mscales");
  empty.tensors.clear();
  empty.WriteAll();
  const auto model = empty.Load();
  ASSERT_FALSE(model.ok());
  EXPECT_LT(model.status().message().size(), 400U);
}

TEST(LoadModelTest, TablesThatFollowFromTheConfigurationAreSkipped) {
  CheckpointWriter checkpoint("v2_mscales");
  checkpoint.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = {
      "F32", {2}, std::string(8, 'x')};
  checkpoint.WriteAll();
  EXPECT_TRUE(checkpoint.Load().ok());
}

TEST(LoadModelTest, ADirectoryWithoutOneCertainSetOfWeightsIsRefused) {
  CheckpointWriter none("v2_mscales");
  ExpectRefused(none, "safetensors");
  none.WriteFile("pytorch_model.bin", "pickle");
  ExpectRefused(none, "pytorch_model.bin");

  CheckpointWriter two("v2_mscales");
  two.WriteAll();
  std::filesystem::copy(two.directory() / "model.safetensors", two.directory() / "b.safetensors");
  ExpectRefused(two, "index");
}

TEST(LoadModelTest, ATruncatedFileIsRefusedByName) {
  CheckpointWriter checkpoint("v2_mscales");
  checkpoint.WriteAll();
  const auto path = checkpoint.directory() / "model.safetensors";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 100);
  ExpectRefused(checkpoint, "model.safetensors");
  std::filesystem::resize_file(path, 0);
  ExpectRefused(checkpoint, "model.safetensors");
}

TEST(LoadModelTest, AnIndexMayOnlyNameFilesInsideTheDirectory) {
  CheckpointWriter checkpoint("v2_mscales");
  checkpoint.WriteAll();
  for (const std::string file : {"../model.safetensors", "/etc/passwd", "..", "", "a.bin"}) {
    checkpoint.WriteFile(kIndex, WriteJson(MakeJson({{"weight_map", MakeJson({{"a", file}})}})));
    ExpectRefused(checkpoint, kIndex);
  }
  checkpoint.WriteFile(kIndex, R"({"weight_map": {"a": 7}})");
  ExpectRefused(checkpoint, kIndex);
  checkpoint.WriteFile(kIndex, R"({"a": 7})");
  ExpectRefused(checkpoint, "weight_map");
}

TEST(LoadModelTest, ShardsLoadAndOneThatLacksItsTensorIsNamed) {
  CheckpointWriter checkpoint("v2_mscales");
  const auto first = [](const std::string& name) { return name < "model.layers.1"; };
  checkpoint.WriteShard("model-1.safetensors", first);
  checkpoint.WriteShard("model-2.safetensors", [&](const std::string& n) { return !first(n); });
  const auto write_index = [&](const std::string& wrong) {
    JsonObject map;
    for (const auto& [name, tensor] : checkpoint.tensors) {
      const bool in_first = first(name) != (name == wrong);
      map.Insert(name, in_first ? "model-1.safetensors" : "model-2.safetensors");
    }
    checkpoint.WriteFile(kIndex, WriteJson(MakeJson({{"weight_map", std::move(map)}})));
  };
  write_index("");
  EXPECT_TRUE(checkpoint.Load().ok()) << checkpoint.Load().status();
  write_index(kQuery);
  ExpectRefused(checkpoint, kIndex);
  write_index("");
  std::filesystem::remove(checkpoint.directory() / "model-2.safetensors");
  ExpectRefused(checkpoint, "model-2.safetensors");
}

TEST(LoadModelTest, StoredTypesAndExpertsInOneTensorGiveTheSameLogits) {
  CheckpointWriter plain("v2_mscales");
  plain.WriteAll();
  CheckpointWriter other("v2_mscales");
  WrittenTensor& query = other.tensors[kQuery];
  query = {"F32", query.shape, Widen(query.bytes)};
  WrittenTensor gate_up{"BF16", {8, 80, 80}, ""};
  WrittenTensor down{"BF16", {8, 80, 40}, ""};
  const std::string experts = "model.layers.1.mlp.experts.";
  for (int expert = 0; expert < 8; ++expert) {
    const std::string prefix = experts + std::to_string(expert) + ".";
    gate_up.bytes += other.tensors.at(prefix + "gate_proj.weight").bytes;
    gate_up.bytes += other.tensors.at(prefix + "up_proj.weight").bytes;
    down.bytes += other.tensors.at(prefix + "down_proj.weight").bytes;
    for (const char* rest : {"gate_proj.weight", "up_proj.weight", "down_proj.weight"}) {
      other.tensors.erase(prefix + rest);
    }
  }
  other.tensors[experts + "gate_up_proj"] = gate_up;
  other.tensors[experts + "down_proj"] = down;
  other.WriteAll();
  EXPECT_EQ(LogitsOf(plain), LogitsOf(other));
}

TEST(LoadModelTest, TheRevisionFollowsEveryByteUnlessItIsStated) {
  CheckpointWriter checkpoint("v2_mscales");
  checkpoint.WriteAll();
  const auto revision = [&](const ModelConfig& config) {
    return (*checkpoint.Load(config))->facts().revision;
  };
  const std::string before = revision({});
  EXPECT_EQ(revision({}), before);
  checkpoint.tensors["model.norm.weight"].bytes[3] ^= 1;
  checkpoint.WriteAll();
  EXPECT_NE(revision({}), before);
  ModelConfig stated;
  stated.revision = "2026-11-21";
  EXPECT_EQ(revision(stated), "2026-11-21");
}

TEST(LoadModelTest, MadeUpWeightsNeverPairWithRealOnes) {
  CheckpointWriter checkpoint("v2_mscales");
  ModelConfig config;
  config.load_format = "dummy";
  const auto one = checkpoint.Load(config);
  const auto two = checkpoint.Load(config);
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ((*one)->facts().revision, (*two)->facts().revision);
  EXPECT_EQ((*one)->facts().revision.rfind("dummy-", 0), 0U);
  EXPECT_TRUE((*one)->facts().end_tokens.empty());
  const auto first = ForwardRunner(**one, ReferenceBackend(), 64).Feed({1, 2, 3});
  EXPECT_EQ(first, ForwardRunner(**two, ReferenceBackend(), 64).Feed({1, 2, 3}));
  EXPECT_TRUE(std::isfinite(first[0]));
}

TEST(LoadModelTest, ATypeThatIsNotComputedInIsRefusedNotReplaced) {
  CheckpointWriter checkpoint("v2_mscales");
  checkpoint.WriteAll();
  ModelConfig config;
  config.dtype = "float64";
  ExpectRefused(checkpoint, "float64", config);
}

TEST(LoadModelTest, IdsThatNoTokenizerKnowsHaveNoText) {
  CheckpointWriter checkpoint("v2_mscales");
  checkpoint.WriteAll();
  const auto ids = [&](const std::string& tokenizer) {
    checkpoint.WriteFile("tokenizer.json", tokenizer);
    return (*checkpoint.Load())->facts().ids_with_text;
  };
  EXPECT_EQ(ids(R"({"model": {"vocab": {"a": 0, "b": 5}}, "added_tokens": [{"id": 9}]})"), 10);
  EXPECT_EQ(ids(R"({"model": {"vocab": {"a": 0, "b": 1000000000000}}})"), 768);
  checkpoint.WriteFile("tokenizer.json", R"({"model": {}})");
  ExpectRefused(checkpoint, "tokenizer.json");
  std::filesystem::remove(checkpoint.directory() / "tokenizer.json");
  EXPECT_EQ((*checkpoint.Load())->facts().ids_with_text, 768);
}

TEST(LoadModelTest, ProgressEndsAtTheTotal) {
  CheckpointWriter checkpoint("v2_mscales");
  checkpoint.WriteAll();
  ModelConfig config;
  config.path = checkpoint.directory().string();
  std::size_t last = 0;
  std::size_t total = 0;
  ASSERT_TRUE(LoadModel(config, [&](std::size_t done, std::size_t all) {
                EXPECT_GE(done, last);
                last = done;
                total = all;
              }).ok());
  EXPECT_EQ(last, total);
  EXPECT_EQ(total, std::filesystem::file_size(checkpoint.directory() / "model.safetensors"));
}

TEST(LoadModelTest, AModelsSizeIsKnownBeforeItsWeightsAreThere) {
  CheckpointWriter checkpoint("v2_mscales");
  std::size_t stored = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) stored += tensor.bytes.size();
  ModelConfig config;
  config.path = checkpoint.directory().string();
  const auto size = MeasureModel(config);
  ASSERT_TRUE(size.ok()) << size.status();
  EXPECT_EQ(size->weight_bytes, stored);
  EXPECT_EQ(size->activation, DType::kBf16);
  config.dtype = "float32";
  EXPECT_EQ(MeasureModel(config)->weight_bytes, 2 * stored);
  checkpoint.WriteAll();
  EXPECT_EQ((*checkpoint.Load())->LayoutFor(DType::kBf16, 64).num_layers, size->layout.num_layers);
}

TEST(LoadModelTest, LayersOfMultiTokenPredictionAreSkippedAndNoOthers) {
  CheckpointWriter checkpoint("v3");
  ASSERT_TRUE(checkpoint.tensors.contains("model.layers.2.eh_proj.weight"));
  checkpoint.WriteAll();
  EXPECT_TRUE(checkpoint.Load().ok()) << checkpoint.Load().status();
  checkpoint.tensors["model.layers.3.eh_proj.weight"] =
      checkpoint.tensors["model.layers.2.eh_proj.weight"];
  checkpoint.WriteAll();
  ExpectRefused(checkpoint, "model.layers.3.eh_proj.weight");
}

TEST(LoadModelTest, TheCorrectionBiasChoosesExpertsAndIsNeeded) {
  CheckpointWriter checkpoint("v3");
  const std::string bias = "model.layers.1.mlp.gate.e_score_correction_bias";
  checkpoint.WriteAll();
  const auto before = LogitsOf(checkpoint);
  std::string& bytes = checkpoint.tensors[bias].bytes;
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    float value = 0;
    std::memcpy(&value, bytes.data() + i, 4);
    value = -value;  // the last become first
    std::memcpy(bytes.data() + i, &value, 4);
  }
  checkpoint.WriteAll();
  EXPECT_NE(LogitsOf(checkpoint), before);
  checkpoint.tensors.erase(bias);
  checkpoint.WriteAll();
  ExpectRefused(checkpoint, bias);
}

TEST(ModelTest, FingerprintsNameWhatDiffers) {
  ModelConfig config;
  config.path = "builtin:recall-nano";
  const auto exact = LoadModel(config);
  config.exact = "false";
  const auto loose = LoadModel(config);
  config.dtype = "float32";
  const auto wide = LoadModel(config);
  ASSERT_TRUE(exact.ok() && loose.ok() && wide.ok());
  const KvLayout layout = (*exact)->LayoutFor(DType::kBf16, 64);
  EXPECT_EQ(layout.TokenBytes(), 512U);
  Backend other = ReferenceBackend();
  other.kernel_revision += 1;
  const auto mine = (*exact)->Fingerprint(layout, ReferenceBackend());
  EXPECT_EQ(Difference(mine, (*exact)->Fingerprint(layout, ReferenceBackend())), "");
  EXPECT_NE(Difference(mine, (*exact)->Fingerprint(layout, other)).find("kernels"),
            std::string::npos);
  EXPECT_NE(Difference(mine, (*exact)->Fingerprint((*exact)->LayoutFor(DType::kF32, 64),
                                                   ReferenceBackend()))
                .find("kv_dtype"),
            std::string::npos);
  EXPECT_EQ(Difference((*loose)->Fingerprint(layout, ReferenceBackend()),
                       (*loose)->Fingerprint(layout, other)),
            "");
  EXPECT_NE(Difference((*loose)->Fingerprint(layout, other), (*wide)->Fingerprint(layout, other))
                .find("activation"),
            std::string::npos);
  EXPECT_NE((*exact)->KeyNamespace(layout, ReferenceBackend(), "a"),
            (*exact)->KeyNamespace(layout, ReferenceBackend(), "b"));
  EXPECT_FALSE(KvDTypeFor((*exact)->facts(), "fp8_e5m2").ok());
  EXPECT_EQ(*KvDTypeFor((*exact)->facts(), "fp8_e4m3"), DType::kFp8E4m3);
  EXPECT_EQ(*KvDTypeFor((*wide)->facts(), "auto"), DType::kF32);
}

}  // namespace
}  // namespace baton
