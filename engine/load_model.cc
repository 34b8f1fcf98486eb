#include "engine/load_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/model/checkpoint.h"

namespace baton {
namespace {

// Rotary tables are made for every position: at most this many numbers of each.
constexpr std::int64_t kRopeNumbersMax = std::int64_t{1} << 28;

absl::StatusOr<DType> ActivationFor(absl::string_view wanted, absl::string_view stored) {
  const absl::string_view name = wanted == "auto" ? stored : wanted;
  if (name == "bfloat16") return DType::kBf16;
  if (name == "float16") return DType::kF16;
  if (name == "float32") return DType::kF32;
  return absl::UnimplementedError(absl::StrCat(
      "model.dtype ", wanted, " means ", name,
      " here, in which this version does not compute; set bfloat16, float16 or float32"));
}

// The most positions that a sequence may take: `wanted`, or the model's own where that is 0.
absl::StatusOr<int> LengthFor(int wanted, const ModelShape& shape) {
  if (wanted > shape.positions_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("model.length_tokens_max (--max-model-len) is ", wanted,
                     ", and this model has ", shape.positions_max, " positions; set at most that"));
  }
  const int length = wanted > 0 ? wanted : shape.positions_max;
  if (std::int64_t{length} * shape.rope_dim / 2 <= kRopeNumbersMax) return length;
  return absl::InvalidArgumentError(
      absl::StrCat("the rotary tables of ", length,
                   " positions are too large; set a smaller model.length_tokens_max"));
}

// All but the revision.
absl::StatusOr<ModelFacts> FactsOf(const Checkpoint& checkpoint, const ModelConfig& config) {
  const ModelShape& shape = checkpoint.architecture->shape();
  ModelFacts facts;
  facts.name = checkpoint.name;
  facts.vocab_size = shape.vocab_size;
  facts.ids_with_text = checkpoint.ids_with_text;
  facts.end_tokens = checkpoint.end_tokens;
  facts.bos = shape.bos;
  facts.exact = config.exact != "false";
  BATON_ASSIGN_OR_RETURN(facts.length_tokens_max, LengthFor(config.length_tokens_max, shape));
  BATON_ASSIGN_OR_RETURN(facts.activation, ActivationFor(config.dtype, shape.stored_dtype));
  return facts;
}

}  // namespace

absl::StatusOr<ModelSize> MeasureModel(const ModelConfig& config) {
  BATON_ASSIGN_OR_RETURN(const auto architecture, OpenArchitecture(config));
  ModelSize size;
  BATON_ASSIGN_OR_RETURN(size.activation,
                         ActivationFor(config.dtype, architecture->shape().stored_dtype));
  size.layout = architecture->Layout();
  for (const WeightSpec& spec : architecture->Weights()) {
    std::size_t bytes = BytesOf(size.activation);
    for (const std::int64_t dim : spec.shape) bytes *= static_cast<std::size_t>(dim);
    size.weight_bytes += bytes;
  }
  return size;
}

absl::StatusOr<std::unique_ptr<Model>> LoadModel(const ModelConfig& config,
                                                 const LoadProgress& progress,
                                                 const std::string& cache_directory) {
  BATON_ASSIGN_OR_RETURN(Checkpoint checkpoint, OpenCheckpoint(config, cache_directory));
  BATON_ASSIGN_OR_RETURN(ModelFacts facts, FactsOf(checkpoint, config));
  // Bytes come from the disk once, in whichever pass is first: for the digest, or into place.
  std::size_t shown = 0;
  std::size_t pass = 0;
  const auto on_bytes = [&](std::size_t bytes) {
    pass = std::min(pass + bytes, checkpoint.bytes);
    if (pass <= shown) return;
    shown = pass;
    if (progress) progress(shown, checkpoint.bytes);
  };
  BATON_ASSIGN_OR_RETURN(facts.revision, checkpoint.revision(on_bytes));
  pass = 0;
  const BindOptions bind{facts.activation, facts.length_tokens_max, on_bytes};
  BATON_ASSIGN_OR_RETURN(auto weights,
                         checkpoint.architecture->Bind(std::move(checkpoint.source), bind));
  BATON_RETURN_IF_ERROR(checkpoint.check_unchanged());
  if (progress && shown < checkpoint.bytes) progress(checkpoint.bytes, checkpoint.bytes);
  return std::make_unique<Model>(std::move(facts), checkpoint.architecture->Layout(),
                                 std::move(weights));
}

}  // namespace baton
