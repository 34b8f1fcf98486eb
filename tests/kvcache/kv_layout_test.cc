#include "kvcache/kv_layout.h"

#include "gtest/gtest.h"

namespace baton {
namespace {

// Bytes a token over all layers, bf16: DeepSeek's published dims (latent 512, rope 64).
TEST(KvLayoutTest, BytesOfTheModelsWeKnow) {
  const auto token_bytes = [](int layers) {
    return KvLayout{.num_layers = layers, .latent_dim = 512, .rope_dim = 64}.PageBytes() / 64;
  };
  EXPECT_EQ(token_bytes(27), 31'104U);  // V2-Lite
  EXPECT_EQ(token_bytes(60), 69'120U);  // V2
  EXPECT_EQ(token_bytes(61), 70'272U);  // V3, R1
}

TEST(KvLayoutTest, OffsetsPassThirtyTwoBits) {
  const KvLayout layout{.num_layers = 61, .latent_dim = 512, .rope_dim = 64};
  EXPECT_GT(layout.OffsetOf(PageId{4000}, 60), std::size_t{1} << 32);
}

TEST(KvLayoutTest, EveryFieldChangesTheFingerprintAndIsNamed) {
  const KvLayout base{.num_layers = 4, .latent_dim = 512, .rope_dim = 64};
  std::vector<KvLayout> flipped(5, base);
  flipped[0].num_layers = 5;
  flipped[1].tokens_per_page = 32;
  flipped[2].latent_dim = 256;
  flipped[3].rope_dim = 32;
  flipped[4].dtype = DType::kF32;
  const char* names[] = {"layers", "page_tokens", "latent_dim", "rope_dim", "kv_dtype"};
  for (std::size_t i = 0; i < flipped.size(); ++i) {
    EXPECT_NE(FingerprintOf(FieldsOf(base)), FingerprintOf(FieldsOf(flipped[i]))) << names[i];
    EXPECT_EQ(Difference(FieldsOf(base), FieldsOf(flipped[i])).find(names[i]), 0U);
  }
  EXPECT_EQ(Difference(FieldsOf(base), FieldsOf(base)), "");
}

}  // namespace
}  // namespace baton
