// What a model's name in the configuration stands for, before it is bound: its shape, its weights
// and its identity. Three kinds: built in, a Hugging Face directory, that directory's config.json
// with made-up weights.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/config.h"
#include "engine/model/architecture.h"
#include "engine/model/weight_source.h"

namespace baton {

struct Checkpoint {
  std::string name;
  std::unique_ptr<const Architecture> architecture;
  int ids_with_text = 0;
  std::vector<TokenId> end_tokens;  // ascending
  std::unique_ptr<const WeightSource> source;
  std::size_t bytes = 0;  // of all weights
  /// The identity of the weights. Reads every byte of a directory, telling `on_bytes` (may be
  /// null), unless the operator states it or it is remembered. Call it while `source` lives.
  /// Errors: InvalidArgument names a tensor that holds a NaN or an infinity.
  std::function<absl::StatusOr<std::string>(const OnBytes& on_bytes)> revision;
  /// To be called when all has been read. Errors: FailedPrecondition when a file changed meanwhile.
  std::function<absl::Status()> check_unchanged;
};

/// The model's shape alone, from its configuration; no weight is looked at.
/// Errors: as LoadModel.
absl::StatusOr<std::unique_ptr<const Architecture>> OpenArchitecture(const ModelConfig& config);

/// `cache_directory`: where revisions are remembered; empty = nowhere. Errors: as LoadModel.
absl::StatusOr<Checkpoint> OpenCheckpoint(const ModelConfig& config,
                                          const std::string& cache_directory);

}  // namespace baton
