// How long the prompts are that a run of the golden tests tries: a few after each build, most by
// day, all by night. BATON_GOLDEN says which: unset, `day`, `night`.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <string>

namespace baton::testing {

inline constexpr std::size_t kEveryLength = std::size_t{1} << 20;

struct GoldenLengths {
  std::size_t quick, day, night;
};

inline std::size_t LengthMax(const GoldenLengths& lengths) {
  const char* const scope = std::getenv("BATON_GOLDEN");
  if (scope == nullptr) return lengths.quick;
  return std::string(scope) == "night" ? lengths.night : lengths.day;
}

}  // namespace baton::testing
