#include "base/metrics.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

TEST(MetricsTest, ExposesZerosCountsAndTheFamilysOwnLabels) {
  Metrics metrics({{"model_name", "m"}, {"engine", "0"}});
  metrics.Counter(metric::kRequests, {{"outcome", "ok"}});
  metrics.Counter(metric::kGenerationTokens).Add(3);
  const std::string text = metrics.Expose();
  EXPECT_THAT(text, HasSubstr("baton_requests_total{outcome=\"ok\"} 0"));
  EXPECT_THAT(text, HasSubstr("vllm:generation_tokens_total{engine=\"0\",model_name=\"m\"} 3"));
  EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes"));
}

TEST(MetricsTest, TheSameSeriesIsOneCounter) {
  Metrics metrics({});
  metrics.Counter(metric::kStaleCommits).Add();
  EXPECT_EQ(metrics.Counter(metric::kStaleCommits).Value(), 1);
}

}  // namespace
}  // namespace baton
