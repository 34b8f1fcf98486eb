#include "engine/model/recall_model.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/model/recall_code.h"
#include "engine/model/recall_matrix.h"
#include "engine/model/rope.h"
#include "engine/model/weight_names.h"
#include "kernels/common/float_bits.h"

namespace baton {
namespace {

constexpr int kVocab = 258;
constexpr int kLayers = 4;
constexpr int kPositions = 8192;
constexpr int kInter = 32;     // of the feed-forward layers, whose weights are zero
constexpr int kBytesBack = 8;  // how much context names a place
constexpr int kCodeWidth = kRecallCodeBits + 2;  // a byte's code, then BOS, then EOS

// Residual stream: A (this byte) | P1..P8 (bytes before) | OUT | the constant | padding.
constexpr int kSlots = kCodeWidth * (kBytesBack + 1);
constexpr int kOut = kSlots;
constexpr int kConst = kOut + kCodeWidth;
constexpr int kHidden = 192;
static_assert(kConst < kHidden);
constexpr int Slot(int back) { return kCodeWidth * back; }

constexpr double kConstValue = 4;    // as long as a code, and as BOS and EOS
constexpr double kNormSquared = 16;  // of a code, of the constant

constexpr int kOffsetPairs = 16;    // rotary pairs (the fastest) that tell distances apart
constexpr double kMarginNats = 20;  // by which the right token's score leads
constexpr int kMatchedBits = 12;    // lead of 8 equal bytes over 7: 16 - 4

// Standard deviations of the noise, tried in the prototype: at 0.3 for the outputs copying fails.
constexpr double kSpareLatentNoise = 0.15;
constexpr double kSpareRopeNoise = 2;
constexpr double kSpareQueryNoise = 2.4;
constexpr double kSpareKeyNoise = 2;
constexpr double kSpareValueNoise = 1;
constexpr double kSpareOutputNoise = 0.08;

struct LayerMatrices {
  explicit LayerMatrices(const DeepseekConfig& config)
      : query(config.num_heads * config.QueryDim(), config.hidden),
        kv_a(config.CacheDim(), config.hidden),
        kv_b(config.num_heads * (config.nope_dim + config.v_dim), config.latent_dim),
        out(config.hidden, config.num_heads * config.v_dim) {}

  RecallMatrix query;  // head h: QueryDim() rows, the rope part last
  RecallMatrix kv_a;   // latent rows, then the rope key's
  RecallMatrix kv_b;   // head h: nope_dim rows of keys, v_dim of values
  RecallMatrix out;
};

// 1 / rms of a residual row whose nonzero parts are `parts` codes and the constant.
double InverseRms(int parts, int width) { return std::sqrt(width / (kNormSquared * (parts + 1))); }

class RecallWriter {
 public:
  explicit RecallWriter(const DeepseekConfig& config)
      : config_(config),
        frequencies_(RopeFrequencies(config)),
        scale_(SoftmaxScale(config)),
        weights_(std::make_unique<MemoryWeights>()) {}

  std::unique_ptr<MemoryWeights> Write() {
    WriteEnds();
    for (int layer = 0; layer < kLayers; ++layer) {
      LayerMatrices matrices(config_);
      for (int i = 0; i <= kSlots; ++i) matrices.kv_a.Set(i, i < kSlots ? i : kConst, 1);
      if (layer == 0) {
        WriteOffsetHeads(matrices);
      } else {
        WriteInductionHead(6 * (layer - 1), matrices);
      }
      WriteNoise(layer, layer == 0 ? kBytesBack : 1, matrices);
      AddLayer(layer, matrices);
    }
    return std::move(weights_);
  }

 private:
  void WriteEnds() {
    RecallMatrix embed(kVocab, kHidden);
    RecallMatrix head(kVocab, kHidden);
    for (int token = 0; token < kVocab; ++token) {
      embed.Set(token, kConst, kConstValue);
      if (token >= kRecallBos) {  // as long as a byte's code, in a place of its own
        const int place = kRecallCodeBits + token - kRecallBos;
        embed.Set(token, Slot(0) + place, kConstValue);
        head.Set(token, kOut + place, kConstValue);
        continue;
      }
      const auto code = RecallCode(token);
      for (int bit = 0; bit < kRecallCodeBits; ++bit) {
        embed.Set(token, Slot(0) + bit, code[static_cast<std::size_t>(bit)]);
        head.Set(token, kOut + bit, code[static_cast<std::size_t>(bit)]);
      }
    }
    Add("model.embed_tokens.weight", embed);
    Add("lm_head.weight", head);
    AddOnes("model.norm.weight", kHidden);
  }

  // The size of constant q_pe and k_pe at which distance 0 leads every other by the margin.
  double OffsetAmplitude() const {
    double runner_up = -kOffsetPairs;
    for (int distance = 1; distance < kPositions + kBytesBack; ++distance) {
      double score = 0;
      for (int i = 0; i < kOffsetPairs; ++i) score += std::cos(Frequency(i) * distance);
      runner_up = std::max(runner_up, score);
    }
    return std::sqrt(kMarginNats / (kOffsetPairs - runner_up) / scale_);
  }

  // Head h: q_pe is k_pe turned by h + 1 positions, so the score peaks at that distance.
  void WriteOffsetHeads(LayerMatrices& matrices) const {
    const double per_constant = OffsetAmplitude() / kConstValue / InverseRms(1, kHidden);
    const double latent_norm = InverseRms(1, config_.latent_dim);
    for (int i = 0; i < config_.rope_dim / 2; ++i) {
      matrices.kv_a.Set(config_.latent_dim + 2 * i, kConst, per_constant);
    }
    for (int head = 0; head < kBytesBack; ++head) {
      const int query_row = head * config_.QueryDim() + config_.nope_dim;
      const int back = head + 1;
      for (int i = 0; i < kOffsetPairs; ++i) {
        const double angle = Frequency(i) * back;
        matrices.query.Set(query_row + 2 * i, kConst, per_constant * std::cos(angle));
        matrices.query.Set(query_row + 2 * i + 1, kConst, -per_constant * std::sin(angle));
      }
      for (int i = 0; i < kCodeWidth; ++i) {
        matrices.kv_b.Set(ValueRow(head) + i, Slot(0) + i, 1 / latent_norm);
        matrices.out.Set(Slot(back) + i, head * config_.v_dim + i, 1);
      }
    }
  }

  // Head 0: the score counts equal bits of my bytes 0..7 back and the key's 1..8 back; the value
  // is `first_bit`.. of the key's own byte.
  void WriteInductionHead(int first_bit, LayerMatrices& matrices) const {
    const double gain = kMarginNats / (kMatchedBits * scale_);
    const double row_norm = InverseRms(kBytesBack + 1, kHidden);
    const double latent_norm = InverseRms(kBytesBack + 1, config_.latent_dim);
    for (int back = 0; back < kBytesBack; ++back) {
      for (int bit = 0; bit < kRecallCodeBits; ++bit) {
        const int row = back * kRecallCodeBits + bit;
        matrices.query.Set(row, Slot(back) + bit, gain / row_norm);
        matrices.kv_b.Set(row, Slot(back + 1) + bit, 1 / latent_norm);
      }
    }
    for (int i = first_bit; i < std::min(first_bit + 6, kCodeWidth); ++i) {
      matrices.kv_b.Set(ValueRow(0) + i, Slot(0) + i, 1 / latent_norm);
      matrices.out.Set(kOut + i, i, 1);
    }
  }

  void WriteNoise(int layer, int used_heads, LayerMatrices& matrices) const {
    const auto noise = [layer](std::uint32_t tensor) {
      return RecallNoise(static_cast<std::uint32_t>(layer), tensor);
    };
    const double by_hidden = 1 / std::sqrt(static_cast<double>(kHidden));
    const double by_latent = 1 / std::sqrt(static_cast<double>(config_.latent_dim));
    const double by_value = 1 / std::sqrt(static_cast<double>(config_.v_dim));
    const int latent = config_.latent_dim;
    noise(0).Fill({kSlots + 1, latent - kSlots - 1, 0, kHidden}, kSpareLatentNoise * by_hidden,
                  matrices.kv_a);
    if (layer > 0) {
      noise(1).Fill({latent, config_.rope_dim, 0, kHidden}, kSpareRopeNoise * by_hidden,
                    matrices.kv_a);
    }
    for (int head = used_heads; head < config_.num_heads; ++head) {
      noise(2).Fill({head * config_.QueryDim(), config_.QueryDim(), 0, kHidden},
                    kSpareQueryNoise * by_hidden, matrices.query);
      noise(3).Fill({ValueRow(head) - config_.nope_dim, config_.nope_dim, 0, latent},
                    kSpareKeyNoise * by_latent, matrices.kv_b);
      noise(4).Fill({ValueRow(head), config_.v_dim, 0, latent}, kSpareValueNoise * by_latent,
                    matrices.kv_b);
      noise(5).Fill({kOut, kCodeWidth, head * config_.v_dim, config_.v_dim},
                    kSpareOutputNoise * by_value, matrices.out);
    }
  }

  void AddLayer(int layer, LayerMatrices& matrices) {
    const auto name = [layer](absl::string_view rest) {
      return LayerWeightName(layer, absl::StrCat(rest, ".weight"));
    };
    AddOnes(name("input_layernorm"), kHidden);
    Add(name("self_attn.q_proj"), matrices.query);
    Add(name("self_attn.kv_a_proj_with_mqa"), matrices.kv_a);
    AddOnes(name("self_attn.kv_a_layernorm"), config_.latent_dim);
    Add(name("self_attn.kv_b_proj"), matrices.kv_b);
    Add(name("self_attn.o_proj"), matrices.out);
    AddOnes(name("post_attention_layernorm"), kHidden);
    RecallMatrix gate(kInter, kHidden);
    RecallMatrix up(kInter, kHidden);
    RecallMatrix down(kHidden, kInter);
    Add(name("mlp.gate_proj"), gate);
    Add(name("mlp.up_proj"), up);
    Add(name("mlp.down_proj"), down);
  }

  void Add(std::string name, RecallMatrix& matrix) {
    weights_->Add(std::move(name), {matrix.rows(), matrix.cols()}, matrix.Take());
  }
  void AddOnes(std::string name, int count) {
    weights_->Add(std::move(name), {count},
                  std::vector<std::uint16_t>(static_cast<std::size_t>(count), FloatToBf16(1.0F)));
  }
  double Frequency(int pair) const { return frequencies_[static_cast<std::size_t>(pair)]; }
  int ValueRow(int head) const {
    return head * (config_.nope_dim + config_.v_dim) + config_.nope_dim;
  }

  const DeepseekConfig config_;
  const std::vector<double> frequencies_;
  const double scale_;
  std::unique_ptr<MemoryWeights> weights_;
};

DeepseekConfig RecallConfig(int heads, int v_dim, int latent_dim) {
  DeepseekConfig config;
  config.vocab_size = kVocab;
  config.hidden = kHidden;
  config.num_layers = kLayers;
  config.num_heads = heads;
  config.latent_dim = latent_dim;
  config.nope_dim = 128;
  config.rope_dim = 64;
  config.v_dim = v_dim;
  config.yarn = YarnScaling{40, 4096, 32, 1, 0.707, 0.707};
  config.positions_max = kPositions;
  config.dense_inter = kInter;
  config.bos = kRecallBos;
  config.end_tokens = {kRecallEos};
  return config;
}

}  // namespace

absl::StatusOr<RecallModel> MakeRecallModel(absl::string_view name) {
  RecallModel model;
  if (name == "builtin:recall") {
    model.config = RecallConfig(16, 128, 512);
  } else if (name == "builtin:recall-nano") {
    model.config = RecallConfig(8, 32, 192);
  } else {
    return absl::NotFoundError(absl::StrCat(
        "there is no model ", name, "; built in are builtin:recall and builtin:recall-nano"));
  }
  model.weights = RecallWriter(model.config).Write();
  return model;
}

}  // namespace baton
