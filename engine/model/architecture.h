// What a family of models is to the rest of the engine, in three stages: its shape as config.json
// says it (Architecture), its weights bound (ModelWeights), a pass over a batch (Forward). A family
// fills all three; nobody above engine/model names one.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/dtype.h"
#include "engine/model/batch.h"
#include "engine/model/model_shape.h"
#include "engine/model/weight_names.h"
#include "engine/model/weight_source.h"
#include "kernels/backend.h"
#include "kvcache/kv_arena.h"

namespace baton {

/// From token ids to logits. Thread: one.
class Forward {
 public:
  virtual ~Forward() = default;

  /// Computes `batch`: writes its keys and values into its pages and leaves the logits of its
  /// sample_rows. `layer_done(layer)` is called when that layer's pages are written.
  /// Errors: those of the backend.
  virtual absl::Status Run(const Batch& batch, absl::FunctionRef<void(int layer)> layer_done) = 0;

  /// Computes the logits of `rows` of the batch that was run last, at most BatchLimits::LogitRows()
  /// of them. Errors: those of the backend.
  virtual absl::Status Head(std::span<const std::int32_t> rows) = 0;

  /// [vocab] of the i-th row of the last Head(), or of the i-th sample row of a Run() since; valid
  /// until the next of either.
  virtual const float* Logits(int i) const = 0;
};

/// A model's tensors, ready to compute with. Thread: any; immutable once bound.
class ModelWeights {
 public:
  virtual ~ModelWeights() = default;

  /// Everything given, and this, outlives the pass. Allocates scratch memory for the largest batch.
  virtual std::unique_ptr<Forward> NewForward(const Backend& backend, KvArena& arena,
                                              Stream& stream, const BatchLimits& limits) const = 0;
};

/// Told the stored bytes of a tensor when it has been read; may be null.
using OnBytes = std::function<void(std::size_t bytes)>;

struct BindOptions {
  DType dtype = DType::kBf16;  // of all weights and activations
  int positions = 0;           // rotary tables reach so far
  OnBytes on_bytes;
};

/// A family's reading of config.json. Thread: any; immutable.
class Architecture {
 public:
  virtual ~Architecture() = default;

  virtual const ModelShape& shape() const = 0;

  /// Layers and dims of its pages; element type and page size are the caller's.
  virtual KvLayout Layout() const = 0;

  /// Every tensor that it reads, in the order of the layers, as released checkpoints spell them.
  virtual std::vector<WeightSpec> Weights() const = 0;

  /// Checks `source` against the table of names and binds every tensor; one that is stored in
  /// another type is converted once (F16, F32 and BF16 to `options.dtype`).
  /// Errors: InvalidArgument names the tensors; ResourceExhausted when memory is short.
  virtual absl::StatusOr<std::unique_ptr<const ModelWeights>> Bind(
      std::unique_ptr<const WeightSource> source, const BindOptions& options) const = 0;
};

}  // namespace baton
