#include "engine/load_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/model/checkpoint.h"
#include "engine/model/deepseek_weights.h"

namespace baton {
namespace {

// Rotary tables are made for every position: at most this many numbers of each.
constexpr std::int64_t kRopeNumbersMax = std::int64_t{1} << 28;

absl::StatusOr<DType> ActivationFor(absl::string_view wanted, absl::string_view stored) {
  const absl::string_view name = wanted == "auto" ? stored : wanted;
  if (name == "bfloat16") return DType::kBf16;
  if (name == "float32") return DType::kF32;
  return absl::UnimplementedError(
      absl::StrCat("model.dtype ", wanted, " means ", name,
                   " here, in which this version does not compute; set bfloat16 or float32"));
}

absl::Status LimitLength(int length_tokens_max, DeepseekConfig& config) {
  if (length_tokens_max > 0) {
    config.positions_max = std::min(config.positions_max, length_tokens_max);
  }
  if (std::int64_t{config.positions_max} * config.rope_dim / 2 <= kRopeNumbersMax) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the rotary tables of ", config.positions_max,
                   " positions are too large; set a smaller model.length_tokens_max"));
}

ModelFacts FactsOf(const Checkpoint& checkpoint, const ModelConfig& config, DType activation) {
  ModelFacts facts;
  facts.name = checkpoint.name;
  facts.vocab_size = checkpoint.config.vocab_size;
  facts.ids_with_text = checkpoint.ids_with_text;
  facts.length_tokens_max = checkpoint.config.positions_max;
  facts.end_tokens = checkpoint.config.end_tokens;
  facts.bos = checkpoint.config.bos;
  facts.activation = activation;
  facts.exact = config.exact != "false";
  return facts;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> LoadModel(const ModelConfig& config,
                                                 const LoadProgress& progress) {
  BATON_ASSIGN_OR_RETURN(Checkpoint checkpoint, OpenCheckpoint(config));
  BATON_RETURN_IF_ERROR(LimitLength(config.length_tokens_max, checkpoint.config));
  const DeepseekConfig shape = checkpoint.config;
  BATON_ASSIGN_OR_RETURN(const DType activation, ActivationFor(config.dtype, shape.stored_dtype));
  ModelFacts facts = FactsOf(checkpoint, config, activation);
  KvLayout layout;
  layout.num_layers = shape.num_layers;
  layout.latent_dim = shape.latent_dim;
  layout.rope_dim = shape.rope_dim;

  std::size_t done = 0;  // every byte is read twice: for the digest, then into place
  const auto on_bytes = [&](std::size_t bytes) {
    done = std::min(done + bytes, 2 * checkpoint.bytes);
    if (progress) progress(done, 2 * checkpoint.bytes);
  };
  facts.revision = checkpoint.revision(on_bytes);
  done = checkpoint.bytes;
  BATON_ASSIGN_OR_RETURN(
      auto weights, BindDeepseekWeights(shape, activation, std::move(checkpoint.source), on_bytes));
  BATON_RETURN_IF_ERROR(checkpoint.check_unchanged());
  return std::make_unique<Model>(std::move(facts), layout, std::move(weights));
}

}  // namespace baton
