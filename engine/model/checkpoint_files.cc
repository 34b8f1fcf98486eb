#include "engine/model/checkpoint_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/model/shard_index.h"

namespace baton {
namespace {

constexpr std::size_t kIndexBytesMax = std::size_t{64} << 20;
constexpr std::size_t kHashPart = std::size_t{16} << 20;
constexpr std::size_t kHashAhead = 4 * kHashPart;  // asked of the disk while a part is hashed

absl::Status BadIndex(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(kShardIndexName, ": ", what));
}

// The one safetensors file of a directory without an index.
absl::StatusOr<std::string> OnlyShard(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> found;
  std::string pickle;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (absl::EndsWith(name, ".safetensors")) found.push_back(name);
    if (absl::EndsWith(name, ".bin") || absl::EndsWith(name, ".pt")) pickle = name;
  }
  if (error) {
    return absl::NotFoundError(absl::StrCat("cannot list ", directory, ": ", error.message()));
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        directory, " holds ", found.size(), " safetensors files and no index ", kShardIndexName));
  }
  if (pickle.empty()) {
    return absl::NotFoundError(absl::StrCat(directory, " holds no .safetensors file"));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      pickle, " is a pickle, which is never opened; convert the weights to safetensors"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointFiles>> CheckpointFiles::Open(
    const std::string& directory) {
  auto files = std::make_unique<CheckpointFiles>();
  std::error_code error;
  if (!std::filesystem::exists(absl::StrCat(directory, "/", kShardIndexName), error)) {
    BATON_ASSIGN_OR_RETURN(const std::string name, OnlyShard(directory));
    BATON_RETURN_IF_ERROR(files->AddShard(directory, name));
    return files;
  }
  BATON_ASSIGN_OR_RETURN(
      files->index_, ReadSmallFile(absl::StrCat(directory, "/", kShardIndexName), kIndexBytesMax));
  BATON_ASSIGN_OR_RETURN(const auto shards, ParseShardIndex(files->index_));
  for (const auto& [shard, tensors] : shards) {
    const std::size_t before = files->tensors_.size();
    BATON_RETURN_IF_ERROR(files->AddShard(directory, shard));
    std::size_t found = 0;
    for (const std::string& tensor : tensors) {
      const StoredTensor* stored = files->Find(tensor);
      const auto bytes = files->shards_.back().file.bytes();
      const bool here = stored != nullptr && stored->bytes.data() >= bytes.data() &&
                        stored->bytes.data() <= bytes.data() + bytes.size();
      if (!here) return BadIndex(absl::StrCat("says that ", shard, " holds ", tensor));
      ++found;
    }
    if (found != files->tensors_.size() - before) {
      return BadIndex(absl::StrCat("does not name all tensors of ", shard));
    }
  }
  return files;
}

absl::Status CheckpointFiles::AddShard(const std::string& directory, const std::string& name) {
  BATON_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(absl::StrCat(directory, "/", name)));
  absl::StatusOr<StoredTensors> tensors = ParseSafetensors(file.bytes());
  if (!tensors.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", tensors.status().message()));
  }
  for (auto& [tensor, stored] : *tensors) {
    if (!tensors_.emplace(tensor, std::move(stored)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": tensor ", tensor, " stands in another shard too"));
    }
  }
  shards_.push_back({name, std::move(file)});
  return absl::OkStatus();
}

const StoredTensor* CheckpointFiles::Find(absl::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

std::vector<std::string> CheckpointFiles::Names() const {
  std::vector<std::string> names;
  names.reserve(tensors_.size());
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

std::size_t CheckpointFiles::bytes() const {
  std::size_t total = 0;
  for (const Shard& shard : shards_) total += shard.file.bytes().size();
  return total;
}

void CheckpointFiles::AddTo(Sha256& hash, const std::function<void(std::size_t)>& on_bytes) const {
  hash.AddString(index_);
  for (const Shard& shard : shards_) {
    std::span<const std::byte> rest = shard.file.bytes();
    hash.AddString(shard.name);
    hash.AddU64(rest.size());
    shard.file.Prefetch(0, kHashAhead);
    while (!rest.empty()) {
      const auto part = rest.first(std::min(rest.size(), kHashPart));
      shard.file.Prefetch(shard.file.bytes().size() - rest.size() + kHashAhead, kHashPart);
      hash.AddBytes(part);
      if (on_bytes) on_bytes(part.size());
      rest = rest.subspan(part.size());
    }
  }
}

absl::Status CheckpointFiles::CheckSizes() const {
  for (const Shard& shard : shards_) BATON_RETURN_IF_ERROR(shard.file.CheckSize());
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, std::size_t bytes_max) {
  BATON_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  if (file.bytes().size() > bytes_max) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has over ", bytes_max, " bytes, which is too many to be one"));
  }
  const auto bytes = file.bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace baton
