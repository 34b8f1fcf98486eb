// Which family a config.json belongs to.
#include "engine/model/parse_config.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

absl::Status Refusal(const std::string& text) {
  const auto json = ParseJson(text);
  EXPECT_TRUE(json.ok()) << json.status();
  return ParseConfigJson(*json, nullptr).status();
}

void ExpectRefused(const std::string& text, absl::StatusCode code, const std::string& word) {
  const absl::Status status = Refusal(text);
  EXPECT_EQ(status.code(), code) << text << ": " << status;
  EXPECT_NE(status.ToString().find(word), std::string::npos) << status;
}

TEST(ParseConfigTest, FamiliesThatWeDoNotRunAreRefusedByEveryNameTheyGive) {
  constexpr auto kNeeds = absl::StatusCode::kUnimplemented;
  ExpectRefused(R"({"model_type": "mamba"})", kNeeds, "mamba");
  ExpectRefused(R"({"architectures": ["MambaForCausalLM"]})", kNeeds, "MambaForCausalLM");
  ExpectRefused("{}", kNeeds, "missing");
  ExpectRefused(R"({"model_type": "deepseek_v2", "architectures": ["DeepseekV2Model"]})", kNeeds,
                "DeepseekV2Model");
  ExpectRefused(R"({"model_type": "deepseek_v2", "index_topk": 2048})", kNeeds, "sparse attention");
  ExpectRefused(R"({"model_type": 7})", absl::StatusCode::kInvalidArgument, "model_type");
  ExpectRefused("[]", absl::StatusCode::kInvalidArgument, "object");
}

TEST(ParseConfigTest, TheClassAloneIsEnough) {
  ExpectRefused(R"({"architectures": ["DeepseekV2ForCausalLM"]})",
                absl::StatusCode::kInvalidArgument, "vocab_size");
}

}  // namespace
}  // namespace baton
