// The weights of a Hugging Face directory: one safetensors file, or the shards that
// model.safetensors.index.json names. Nothing outside the directory is opened, nor any pickle.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
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

  /// Adds the index and every byte of every shard, by name, and looks at every weight while its
  /// bytes are at hand. `on_bytes` is told of each part read. Errors: InvalidArgument names the
  /// tensor that holds a NaN or an infinity.
  absl::Status AddTo(Sha256& hash, const std::function<void(std::size_t)>& on_bytes) const;

  /// Asks the system for every byte, in order; a page touched alone would be a small read.
  void Prefetch(const std::function<void(std::size_t)>& on_bytes) const;

  /// In which state the index and the shards were opened, in lines; and when one last changed.
  std::string StateText() const;
  std::int64_t changed_ns() const;

  /// Errors: FailedPrecondition when a shard changed since Open().
  absl::Status CheckUnchanged() const;

 private:
  struct Shard {
    std::string name;
    MappedFile file;
  };

  /// Tensors by where they lie.
  using Places = std::map<const std::byte*, std::pair<std::string, const StoredTensor*>>;

  absl::Status AddShard(const std::string& directory, const std::string& name);

  std::string index_;  // the index file's text, or empty
  std::vector<Shard> shards_;
  StoredTensors tensors_;
};

/// The whole of a small text file.
/// Errors: NotFound, InvalidArgument when it has over `bytes_max`; both name it.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, std::size_t bytes_max);

}  // namespace baton
