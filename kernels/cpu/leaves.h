// The table of leaves of a level, made from its vector type. Include only from level_*.cc.
#pragma once

#include "kernels/cpu/attention_pairs.h"
#include "kernels/cpu/attention_tile.h"
#include "kernels/cpu/gemm_pairs.h"
#include "kernels/cpu/gemm_panel.h"
#include "kernels/cpu/level.h"
#include "kernels/cpu/row_leaves.h"
#include "kernels/cpu/vec_math.h"

namespace baton {

template <class A>
struct Leaves {
  static void RunGemmPanel(const GemmPanelJob& job) { GemmPanel<A>(job).Run(); }
  static void RunGemmPairs(const GemmPairsJob& job) { GemmPairs<A>(job).Run(); }
  static void RunAttentionTile(const AttentionTileJob& job) { AttentionTile<A>(job).Run(); }
  static void RunAttentionPairs(const AttentionTileJob& job) { AttentionPairs<A>(job).Run(); }
  static void MergeAttention(const AttentionTileJob& job) { AttentionPairs<A>(job).RunMerge(); }
  static std::size_t AttentionPairsScratchFloats(const AttentionTileJob& job) {
    return AttentionPairsShape(job).Floats();
  }
  static std::size_t AttentionPartFloats(const AttentionTileJob& job) {
    return AttentionPairsShape(job).PartFloats();
  }
  static std::size_t AttentionScratchFloats(const AttentionTileJob& job) {
    return AttentionShape<A>(job).Floats();
  }

  static void NormRow(const NormRowJob& job) { RowNorm<A>(job).Run(); }

  static void Widen(const void* from, DType type, float* to, int count) {
    WidenRow<A>(from, type, to, count);
  }
  static void Narrow(const float* from, void* to, DType type, int count) {
    NarrowRow<A>(from, to, type, count);
  }

  static void SiluMulRow(const void* gate, const void* up, void* out, DType type, int count) {
    WithType(type, [&](auto tag) {
      constexpr DType kType = decltype(tag)::kValue;
      for (int i = 0; i < count; i += A::kLanes) {
        const auto product =
            SiluMul<A>(LoadAs<A, kType>(gate, i, count - i), LoadAs<A, kType>(up, i, count - i));
        StoreAs<A>(out, type, i, product, count - i);
      }
    });
  }

  static void AddScaled(float weight, const float* values, float* sum, int count) {
    for (int i = 0; i < count; i += A::kLanes) {
      const auto value = LoadAs<A, DType::kF32>(values, i, count - i);
      const auto before = LoadAs<A, DType::kF32>(sum, i, count - i);
      StoreAs<A>(sum, DType::kF32, i, A::Fma(A::Set(weight), value, before), count - i);
    }
  }

  static constexpr CpuLevel Table(const char* isa) {
    static_assert(kPanelWidthMax % kPanelWidth<A> == 0);
    return {.isa = isa,
            .panel_width = kPanelWidth<A>,
            .gemm_scratch_floats = kGemmScratchFloats<A>,
            .gemm_panel = RunGemmPanel,
            .gemm_pairs = nullptr,
            .pack_pairs = nullptr,
            .attention_scratch_floats = AttentionScratchFloats,
            .attention_tile = RunAttentionTile,
            .attention_pairs_scratch_floats = nullptr,
            .attention_part_floats = nullptr,
            .attention_pairs = nullptr,
            .attention_merge = nullptr,
            .norm_row = NormRow,
            .rotate_row = RotateRow<A>,
            .widen = Widen,
            .narrow = Narrow,
            .silu_mul = SiluMulRow,
            .add_scaled = AddScaled};
  }

  /// The same on a machine that multiplies pairs of bf16.
  static constexpr CpuLevel TableWithPairs(const char* isa) {
    CpuLevel table = Table(isa);
    table.gemm_pairs = RunGemmPairs;
    table.pack_pairs = PackPairRows<A>;
    table.attention_pairs_scratch_floats = AttentionPairsScratchFloats;
    table.attention_part_floats = AttentionPartFloats;
    table.attention_pairs = RunAttentionPairs;
    table.attention_merge = MergeAttention;
    return table;
  }
};

}  // namespace baton
