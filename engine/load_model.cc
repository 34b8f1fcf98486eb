#include "engine/load_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/model/deepseek_weights.h"
#include "engine/model/recall_model.h"

namespace baton {
namespace {

constexpr char kBuiltinPrefix[] = "builtin:";

// What a source of weights says beside the weights.
struct Checkpoint {
  DeepseekConfig config;
  std::unique_ptr<const WeightSource> source;
  std::size_t bytes = 0;
  std::string name;
  std::string revision;
  int ids_with_text = 0;
};

absl::StatusOr<Checkpoint> OpenBuiltin(const ModelConfig& config) {
  BATON_ASSIGN_OR_RETURN(RecallModel recall, MakeRecallModel(config.path));
  Checkpoint checkpoint;
  checkpoint.config = recall.config;
  checkpoint.bytes = recall.weights->bytes();
  checkpoint.revision = recall.weights->Digest();
  checkpoint.source = std::move(recall.weights);
  checkpoint.name = config.path;
  checkpoint.ids_with_text = recall.config.vocab_size;
  return checkpoint;
}

absl::StatusOr<DType> ActivationFor(absl::string_view wanted, absl::string_view stored) {
  const absl::string_view name = wanted == "auto" ? stored : wanted;
  if (name == "bfloat16") return DType::kBf16;
  if (name == "float32") return DType::kF32;
  return absl::UnimplementedError(
      absl::StrCat("model.dtype ", wanted, " means ", name,
                   " here, in which this version does not compute; set bfloat16 or float32"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> LoadModel(const ModelConfig& config,
                                                 const LoadProgress& progress) {
  if (!absl::StartsWith(config.path, kBuiltinPrefix)) {
    return absl::NotFoundError(absl::StrCat("there is no model ", config.path));
  }
  BATON_ASSIGN_OR_RETURN(Checkpoint checkpoint, OpenBuiltin(config));
  DeepseekConfig& shape = checkpoint.config;
  if (config.length_tokens_max > 0) {
    shape.positions_max = std::min(shape.positions_max, config.length_tokens_max);
  }
  BATON_ASSIGN_OR_RETURN(const DType activation, ActivationFor(config.dtype, shape.stored_dtype));

  ModelFacts facts;
  facts.name = checkpoint.name;
  facts.vocab_size = shape.vocab_size;
  facts.ids_with_text = checkpoint.ids_with_text;
  facts.length_tokens_max = shape.positions_max;
  facts.end_tokens = shape.end_tokens;
  facts.bos = shape.bos;
  facts.activation = activation;
  facts.revision = checkpoint.revision;
  facts.exact = config.exact != "false";
  KvLayout layout;
  layout.num_layers = shape.num_layers;
  layout.latent_dim = shape.latent_dim;
  layout.rope_dim = shape.rope_dim;

  std::size_t bytes_done = 0;
  const auto on_bytes = [&](std::size_t bytes) {
    bytes_done += bytes;
    if (progress) progress(bytes_done, checkpoint.bytes);
  };
  BATON_ASSIGN_OR_RETURN(
      auto weights, BindDeepseekWeights(shape, activation, std::move(checkpoint.source), on_bytes));
  return std::make_unique<Model>(std::move(facts), layout, std::move(weights));
}

}  // namespace baton
