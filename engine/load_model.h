// From a name in the configuration to a model ready to run: `builtin:recall`, `builtin:recall-nano`
// (constructed, engine/model/recall_model.h), or a Hugging Face directory on this machine.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "engine/model.h"

namespace baton {

/// What a model takes, told from its configuration alone.
struct ModelSize {
  std::size_t weight_bytes = 0;     // in the type that it computes in
  DType activation = DType::kBf16;  // that type
  KvLayout layout;                  // element type and page size are the caller's
};

/// Looks at no weight. Errors: as LoadModel.
absl::StatusOr<ModelSize> MeasureModel(const ModelConfig& config);

/// Called now and then while weights are read; on the loading thread.
using LoadProgress = std::function<void(std::size_t bytes_done, std::size_t bytes_total)>;

/// Reads `config.path`, `dtype`, `revision`, `length_tokens_max`, `load_format`, `exact`.
/// `progress` may be null. `cache_directory`: where revisions of directories are remembered, so
/// that the next start need not read all bytes (engine/model/revision_memory.h); empty = nowhere.
/// Errors: NotFound when there is no such model or a file of it is missing; InvalidArgument when it
/// is broken, with the file and the tensor or field; Unimplemented when it is a model that this
/// version does not run, with what it would need; ResourceExhausted when memory is short.
absl::StatusOr<std::unique_ptr<Model>> LoadModel(const ModelConfig& config,
                                                 const LoadProgress& progress = nullptr,
                                                 const std::string& cache_directory = "");

}  // namespace baton
