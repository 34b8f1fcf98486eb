// Random small models against an oracle that was derived apart from them (tools/oracle): every
// switch of a family thrown both ways. The reference backend is held to the oracle, the cpu backend
// to the reference.
//
// The models checked in are judged always; with BATON_ORACLE_CASES, those of that file in their
// place.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "absl/strings/str_split.h"
#include "engine/model/parse_config.h"
#include "tests/engine/forward_runner.h"
#include "tests/engine/seeded_weights.h"

namespace baton {
namespace {

using testing::CheckpointWriter;
using testing::ForwardRunner;
using testing::MakeSeededTensor;

constexpr float kTolerance = 1e-3F;
constexpr std::size_t kCasesMin = 200;
constexpr std::size_t kFileBytesMax = std::size_t{16} << 20;

struct OracleCase {
  JsonValue config;
  std::int64_t seed = 0;
  std::vector<TokenId> ids;
  std::vector<float> logits;
};

OracleCase ReadCase(const std::string& line) {
  const auto json = ParseJson(line);
  EXPECT_TRUE(json.ok()) << json.status();
  const JsonObject& object = *json->AsObject();
  OracleCase made;
  made.config = *object.Find("config");
  EXPECT_TRUE(object.Find("seed")->AsInt(&made.seed));
  for (const JsonValue& value : *object.Find("ids")->AsArray()) {
    std::int64_t id = 0;
    EXPECT_TRUE(value.AsInt(&id));
    made.ids.push_back(static_cast<TokenId>(id));
  }
  for (const JsonValue& value : *object.Find("logits")->AsArray()) {
    double logit = 0;
    EXPECT_TRUE(value.AsDouble(&logit));
    made.logits.push_back(static_cast<float>(logit));
  }
  return made;
}

std::vector<OracleCase> ReadCases(const std::string& path) {
  const auto text = ReadSmallFile(path, kFileBytesMax);
  EXPECT_TRUE(text.ok()) << text.status();
  std::vector<OracleCase> cases;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(*text, '\n'))) {
    if (!line.empty()) cases.push_back(ReadCase(line));
  }
  return cases;
}

std::unique_ptr<Model> Build(const OracleCase& made) {
  const auto parsed = ParseConfigJson(made.config, nullptr);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  if (!parsed.ok()) return nullptr;
  CheckpointWriter checkpoint;
  for (const WeightSpec& spec : parsed->architecture->Weights()) {
    checkpoint.tensors[spec.name] = MakeSeededTensor(made.seed, spec);
  }
  checkpoint.WriteFile("config.json", WriteJson(made.config));
  checkpoint.WriteAll();
  ModelConfig config;
  config.dtype = "float32";
  auto model = checkpoint.Load(config);
  EXPECT_TRUE(model.ok()) << model.status();
  return model.ok() ? *std::move(model) : nullptr;
}

float Distance(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  float worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const float difference = std::abs(a[i] - b[i]);
    if (!(difference <= worst)) worst = difference;  // a NaN is kept
  }
  return worst;
}

std::string CasesOf(const char* family) {
  const char* other = std::getenv("BATON_ORACLE_CASES");
  if (other != nullptr) return std::string(other) + "/" + family + ".jsonl";
  return std::string(BATON_SOURCE_DIR "/tests/golden/oracle/") + family + ".jsonl";
}

class OracleTest : public ::testing::TestWithParam<const char*> {};

TEST_P(OracleTest, RandomModelsGiveTheOraclesLogitsOnBothBackends) {
  const std::vector<OracleCase> cases = ReadCases(CasesOf(GetParam()));
  ASSERT_GE(cases.size(), kCasesMin);
  const Backend* cpu = CpuBackend("auto");
  for (const OracleCase& made : cases) {
    const auto model = Build(made);
    ASSERT_NE(model, nullptr) << made.seed;
    const int length = static_cast<int>(made.ids.size());
    const auto plain = ForwardRunner(*model, ReferenceBackend(), length).Feed(made.ids);
    EXPECT_LE(Distance(plain, made.logits), kTolerance) << "seed " << made.seed;
    if (cpu == nullptr) continue;
    const auto fast = ForwardRunner(*model, *cpu, length).Feed(made.ids);
    EXPECT_LE(Distance(fast, plain), kTolerance) << "seed " << made.seed;
  }
}

INSTANTIATE_TEST_SUITE_P(, OracleTest, ::testing::Values("deepseek", "llama"));

}  // namespace
}  // namespace baton
