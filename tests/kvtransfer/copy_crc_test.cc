#include "kvtransfer/copy_crc.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace baton {
namespace {

std::vector<std::byte> Generated(std::size_t bytes, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> out(bytes);
  for (std::byte& value : out) value = static_cast<std::byte>(random() & 0xFF);
  return out;
}

TEST(CopyCrcTest, AgreesWithTheVectorsOfRfc3720) {
  const std::vector<std::byte> zeros(32, std::byte{0});
  const std::vector<std::byte> ones(32, std::byte{0xFF});
  std::vector<std::byte> up(32);
  std::vector<std::byte> down(32);
  for (std::size_t i = 0; i < 32; ++i) {
    up[i] = static_cast<std::byte>(i);
    down[i] = static_cast<std::byte>(31 - i);
  }
  EXPECT_EQ(Crc32cTable(zeros.data(), 32), 0x8A9136AAu);
  EXPECT_EQ(Crc32cTable(ones.data(), 32), 0x62A8AB43u);
  EXPECT_EQ(Crc32cTable(up.data(), 32), 0x46DD794Eu);
  EXPECT_EQ(Crc32cTable(down.data(), 32), 0x113FDB5Cu);
  EXPECT_EQ(Crc32c(zeros.data(), 32), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(nullptr, 0), 0u);
}

TEST(CopyCrcTest, EveryImplementationAgreesWithTheTableOnGeneratedLengthsAndAlignments) {
  std::mt19937 random(17);
  const std::vector<std::byte> source = Generated(80'000, 1);
  std::vector<std::byte> target(source.size() + 64);
  for (int round = 0; round < 600; ++round) {
    const std::size_t from = random() % 17;
    const std::size_t to = random() % 17;
    const std::size_t bytes = round < 450 ? random() % 1'000 : random() % 79'000;
    std::memset(target.data(), 0xEE, target.size());
    const std::uint32_t expected = Crc32cTable(source.data() + from, bytes);
    ASSERT_EQ(Crc32c(source.data() + from, bytes), expected) << bytes;
    ASSERT_EQ(CopyAndCrc32c(target.data() + to, source.data() + from, bytes), expected) << bytes;
    ASSERT_EQ(std::memcmp(target.data() + to, source.data() + from, bytes), 0) << bytes;
    ASSERT_EQ(target[to + bytes], std::byte{0xEE}) << "a byte past the end was written";
    if (to > 0) {
      ASSERT_EQ(target[to - 1], std::byte{0xEE}) << "a byte in front was written";
    }
  }
}

TEST(CopyCrcTest, AFlippedBitShows) {
  std::vector<std::byte> page = Generated(73'728, 5);
  const std::uint32_t before = Crc32c(page.data(), page.size());
  for (std::size_t at :
       {std::size_t{0}, std::size_t{6'143}, std::size_t{40'000}, page.size() - 1}) {
    page[at] ^= std::byte{0x10};
    EXPECT_NE(Crc32c(page.data(), page.size()), before) << at;
    page[at] ^= std::byte{0x10};
  }
}

TEST(CopyCrcTest, TheMachineSaysWhatItUses) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) {
    EXPECT_STREQ(Crc32cImplementation(), "sse42");
    return;
  }
#endif
  EXPECT_STREQ(Crc32cImplementation(), "table");
}

}  // namespace
}  // namespace baton
