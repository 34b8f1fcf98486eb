#include "engine/model/recall_code.h"

#include <cstddef>

namespace baton {
namespace {

constexpr int kDigits = 4;
constexpr int kSymbols = 8;

constexpr int kOctacode[kDigits][kSymbols] = {{1, 0, 0, 0, 3, 1, 2, 1},
                                              {0, 1, 0, 0, 1, 2, 3, 1},
                                              {0, 0, 1, 0, 3, 3, 3, 2},
                                              {0, 0, 0, 1, 2, 3, 1, 1}};

constexpr int kGrayMap[4][2] = {{1, 1}, {1, -1}, {-1, -1}, {-1, 1}};

}  // namespace

std::array<int, kRecallCodeBits> RecallCode(int byte) {
  std::array<int, kRecallCodeBits> code{};
  for (std::size_t symbol = 0; symbol < kSymbols; ++symbol) {
    int sum = 0;
    for (int digit = 0; digit < kDigits; ++digit) {
      const int value = (byte >> (2 * (kDigits - 1 - digit))) & 3;
      sum += value * kOctacode[digit][symbol];
    }
    code[2 * symbol] = kGrayMap[sum % 4][0];
    code[2 * symbol + 1] = kGrayMap[sum % 4][1];
  }
  return code;
}

}  // namespace baton
