// What both worker roles are made of below their threads: the loaded model, its pages, the
// transport, and the facts that the worker registers with.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "config/load.h"
#include "engine/load_model.h"
#include "engine/model.h"
#include "engine/model_executor.h"
#include "kvcache/kv_arena.h"
#include "kvtransfer/handoff_types.h"
#include "kvtransfer/transport.h"
#include "proto/link.pb.h"

namespace baton {

struct WorkerParts {
  std::unique_ptr<Model> model;
  const Backend* backend = nullptr;
  std::unique_ptr<KvArena> arena;
  std::unique_ptr<Transport> transport;
  LocalWorker self;      // as peers see it
  link::Register facts;  // as routers see it
  TransferLimits limits;
  std::uint64_t secret = 0;
};

/// Loads the model (with progress on stderr when that is a terminal), maps the pages, opens the
/// transport. Errors: whatever is wrong with the model, the memory or the wire, each with what to
/// do.
absl::StatusOr<WorkerParts> MakeWorkerParts(const LoadedConfig& loaded, link::Role role);

/// The model and backend that `config` names; for `generate` too.
struct ModelParts {
  std::unique_ptr<Model> model;
  const Backend* backend = nullptr;
  DType kv_dtype = DType::kBf16;
};
absl::StatusOr<ModelParts> MakeModelParts(const Config& config);

/// Compute threads: the knob, or a core each, one spared from 4 up.
int ComputeThreads(const ModelConfig& model);

}  // namespace baton
