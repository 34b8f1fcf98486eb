// The base of every suite that runs on all backends: one parameter, the level's name.
#pragma once

#include <string>

#include "gtest/gtest.h"
#include "tests/kernels/tensor.h"

namespace baton::testing {

class BackendTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    backend_ = CpuBackend(GetParam());
    if (backend_ == nullptr) GTEST_SKIP() << "this machine has no " << GetParam();
    RecordProperty("seed", std::to_string(TestSeed()));
  }

  /// Names the seed and the case in every failure below it.
  std::string Where(int number) const {
    return "case " + std::to_string(number) + ", BATON_SEED=" + std::to_string(TestSeed());
  }

  const Backend* backend_ = nullptr;
};

inline std::string LevelName(const ::testing::TestParamInfo<std::string>& level) {
  return level.param;
}

}  // namespace baton::testing

#define BATON_ON_EVERY_BACKEND(suite)                                                       \
  INSTANTIATE_TEST_SUITE_P(Levels, suite,                                                   \
                           ::testing::Values("reference", "avx2", "avx512", "avx512_bf16"), \
                           ::baton::testing::LevelName)
