// The weights of a Hugging Face directory: one safetensors file, or the shards that
// model.safetensors.index.json names. Nothing outside the directory is opened, nor any pickle.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/digest.h"
#include "engine/model/mapped_file.h"
#include "engine/model/safetensors_file.h"
#include "engine/model/weight_source.h"

namespace baton {

class CheckpointFiles : public WeightSource {
 public:
  /// Errors: NotFound when a file is missing; InvalidArgument names the file that is broken.
  static absl::StatusOr<std::unique_ptr<CheckpointFiles>> Open(const std::string& directory);

  const StoredTensor* Find(absl::string_view name) const override;
  std::vector<std::string> Names() const override;

  /// Bytes of all shards.
  std::size_t bytes() const;

  /// Adds the index and every byte of every shard, by name. `on_bytes` is told of each part read.
  void AddTo(Sha256& hash, const std::function<void(std::size_t)>& on_bytes) const;

  /// Errors: FailedPrecondition when a shard changed its size since Open().
  absl::Status CheckSizes() const;

 private:
  struct Shard {
    std::string name;
    MappedFile file;
  };

  absl::Status AddShard(const std::string& directory, const std::string& name);

  std::string index_;  // the index file's text, or empty
  std::vector<Shard> shards_;
  StoredTensors tensors_;
};

/// The whole of a small text file.
/// Errors: NotFound, InvalidArgument when it has over `bytes_max`; both name it.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, std::size_t bytes_max);

}  // namespace baton
