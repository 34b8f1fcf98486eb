#include "kvcache/kv_layout.h"

#include <span>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kvcache/kv_arena.h"

namespace baton {
namespace {

struct KnownModel {
  const char* name;
  KvLayout layout;
  std::size_t token_bytes;      // over all layers, bf16
  std::size_t fp8_token_bytes;  // with scales
};

// Published dims.
const KnownModel kKnown[] = {
    {"V2-Lite", {.num_layers = 27, .latent_dim = 512, .rope_dim = 64}, 31'104, 17'712},
    {"V2", {.num_layers = 60, .latent_dim = 512, .rope_dim = 64}, 69'120, 39'360},
    {"V3, R1", {.num_layers = 61, .latent_dim = 512, .rope_dim = 64}, 70'272, 40'016},
    {"Llama-3-8B", {.num_layers = 32, .kv_heads = 8, .head_dim = 128}, 131'072, 67'584},
    {"Llama-3-70B", {.num_layers = 80, .kv_heads = 8, .head_dim = 128}, 327'680, 168'960},
    {"Qwen2.5-0.5B", {.num_layers = 24, .kv_heads = 2, .head_dim = 64}, 12'288, 6'528},
    {"Qwen2.5-7B", {.num_layers = 28, .kv_heads = 4, .head_dim = 128}, 57'344, 29'568},
    {"Qwen3-0.6B", {.num_layers = 28, .kv_heads = 8, .head_dim = 128}, 114'688, 59'136},
    {"Qwen3-8B", {.num_layers = 36, .kv_heads = 8, .head_dim = 128}, 147'456, 76'032},
};

TEST(KvLayoutTest, BytesOfTheModelsWeKnow) {
  for (const KnownModel& model : kKnown) {
    EXPECT_EQ(model.layout.PageBytes(), 64 * model.token_bytes) << model.name;
    EXPECT_EQ(model.layout.PageBytes(),
              model.layout.TokenBytes() * 64 * static_cast<std::size_t>(model.layout.num_layers))
        << model.name;
    KvLayout fp8 = model.layout;
    fp8.dtype = DType::kFp8E4m3;
    EXPECT_EQ(fp8.PageBytes(), 64 * model.fp8_token_bytes) << model.name;
  }
}

TEST(KvLayoutTest, OffsetsPassThirtyTwoBits) {
  const KvLayout layout{.num_layers = 61, .latent_dim = 512, .rope_dim = 64};
  EXPECT_GT(layout.OffsetOf(PageId{4000}, 60), std::size_t{1} << 32);
}

// Each field of `base` that a flip changes must be named by the difference.
void ExpectNamed(const KvLayout& base,
                 const std::vector<std::pair<const char*, KvLayout>>& flipped) {
  for (const auto& [name, layout] : flipped) {
    EXPECT_NE(FingerprintOf(FieldsOf(base)), FingerprintOf(FieldsOf(layout))) << name;
    EXPECT_EQ(Difference(FieldsOf(base), FieldsOf(layout)).find(name), 0U);
  }
  EXPECT_EQ(Difference(FieldsOf(base), FieldsOf(base)), "");
}

KvLayout With(KvLayout layout, int KvLayout::*field, int value) {
  layout.*field = value;
  return layout;
}

KvLayout WithType(KvLayout layout, DType dtype) {
  layout.dtype = dtype;
  return layout;
}

TEST(KvLayoutTest, EveryFieldOfLatentPagesChangesTheFingerprintAndIsNamed) {
  const KvLayout base{.num_layers = 4, .latent_dim = 512, .rope_dim = 64};
  ExpectNamed(base, {{"layers", With(base, &KvLayout::num_layers, 5)},
                     {"page_tokens", With(base, &KvLayout::tokens_per_page, 32)},
                     {"latent_dim", With(base, &KvLayout::latent_dim, 256)},
                     {"rope_dim", With(base, &KvLayout::rope_dim, 32)},
                     {"kv_dtype", WithType(base, DType::kF32)},
                     {"kv_dtype", WithType(base, DType::kFp8E4m3)}});
}

TEST(KvLayoutTest, EveryFieldOfHeadPagesChangesTheFingerprintAndIsNamed) {
  const KvLayout base{.num_layers = 4, .kv_heads = 8, .head_dim = 128};
  ExpectNamed(base, {{"layers", With(base, &KvLayout::num_layers, 5)},
                     {"page_tokens", With(base, &KvLayout::tokens_per_page, 32)},
                     {"kv_heads", With(base, &KvLayout::kv_heads, 4)},
                     {"head_dim", With(base, &KvLayout::head_dim, 64)},
                     {"kv_dtype", WithType(base, DType::kF16)},
                     {"kv_dtype", WithType(base, DType::kFp8E4m3)},
                     {"attention", {.num_layers = 4, .latent_dim = 1024, .rope_dim = 1024}}});
}

constexpr std::uint32_t kPages = 3;

void ExpectZeroedFromRow(const KvLayout& layout, int row) {
  const auto arena = KvArena::Create(layout, kPages);
  ASSERT_TRUE(arena.ok()) << arena.status();
  for (std::uint32_t page = 0; page < kPages; ++page) {
    for (std::byte& byte : (*arena)->Page(PageId{page})) byte = std::byte{7};
  }
  (*arena)->ZeroRows(PageId{1}, row);
  std::span<std::byte> left = (*arena)->Page(PageId{1});
  for (int plane = 0; plane < layout.num_layers * layout.Planes(); ++plane) {
    const int of_layer = plane % layout.Planes();
    const auto rows = left.first(layout.PlaneBytes(of_layer));
    left = left.subspan(rows.size());
    const std::size_t kept = static_cast<std::size_t>(row) * layout.RowBytes(of_layer);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i] == std::byte{0}, i >= kept) << plane << " " << i;
    }
  }
  EXPECT_TRUE(left.empty());
  for (const std::uint32_t page : {0U, 2U}) {
    for (const std::byte byte : (*arena)->Page(PageId{page})) EXPECT_EQ(byte, std::byte{7});
  }
}

TEST(KvArenaTest, ZeroedRowsAreThoseOfEveryPlaneAndNoOthers) {
  for (const DType dtype : {DType::kF32, DType::kBf16, DType::kFp8E4m3}) {
    ExpectZeroedFromRow(
        {.num_layers = 2, .tokens_per_page = 4, .latent_dim = 130, .rope_dim = 2, .dtype = dtype},
        3);
    ExpectZeroedFromRow(
        {.num_layers = 2, .tokens_per_page = 4, .kv_heads = 3, .head_dim = 2, .dtype = dtype}, 1);
  }
}

}  // namespace
}  // namespace baton
