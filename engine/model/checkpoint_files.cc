#include "engine/model/checkpoint_files.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/model/finite.h"
#include "engine/model/shard_index.h"

namespace baton {
namespace {

constexpr std::size_t kIndexBytesMax = std::size_t{64} << 20;
constexpr std::size_t kPart = std::size_t{1}
                              << 20;            // read, hashed and looked at while in the cache
constexpr std::size_t kReadAhead = 64 * kPart;  // asked of the disk meanwhile

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

// The first number of `tensor` that is none, among those that end in `part` of the file.
std::optional<std::size_t> NotFiniteIn(const StoredTensor& tensor,
                                       std::span<const std::byte> part) {
  const std::size_t size = FloatBytes(tensor.dtype);
  if (size == 0) return std::nullopt;
  const auto offset = [&](const std::byte* place) {
    const std::byte* const begin = tensor.bytes.data();
    return place <= begin ? 0
                          : std::min(static_cast<std::size_t>(place - begin), tensor.bytes.size());
  };
  const std::size_t first = offset(part.data()) / size;
  const std::size_t end = offset(part.data() + part.size()) / size;
  const auto found =
      FirstNotFinite(tensor.bytes.subspan(first * size, (end - first) * size), tensor.dtype);
  return found.has_value() ? std::optional(first + *found) : std::nullopt;
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

absl::Status CheckpointFiles::AddTo(Sha256& hash,
                                    const std::function<void(std::size_t)>& on_bytes) const {
  Places places;
  for (const auto& [name, tensor] : tensors_) {
    if (!tensor.bytes.empty()) places.try_emplace(tensor.bytes.data(), name, &tensor);
  }
  hash.AddString(index_);
  for (const Shard& shard : shards_) {
    std::span<const std::byte> rest = shard.file.bytes();
    const std::size_t size = rest.size();
    hash.AddString(shard.name);
    hash.AddU64(size);
    shard.file.Prefetch(0, kReadAhead);
    auto tensor = places.lower_bound(rest.data());
    while (!rest.empty()) {
      const auto part = rest.first(std::min(rest.size(), kPart));
      shard.file.Prefetch(size - rest.size() + kReadAhead, kPart);
      hash.AddBytes(part);
      const std::byte* const end = part.data() + part.size();
      while (tensor != places.end() && tensor->first < end) {
        const auto& [name, stored] = tensor->second;
        if (const auto bad = NotFiniteIn(*stored, part)) {
          return absl::InvalidArgumentError(absl::StrCat(
              shard.name, ": tensor ", name, ": element ", *bad,
              " is not a finite number; the file is damaged or was saved so: take another copy"));
        }
        if (stored->bytes.data() + stored->bytes.size() > end) break;  // goes on in the next part
        ++tensor;
      }
      if (on_bytes) on_bytes(part.size());
      rest = rest.subspan(part.size());
    }
  }
  return absl::OkStatus();
}

void CheckpointFiles::Prefetch(const std::function<void(std::size_t)>& on_bytes) const {
  for (const Shard& shard : shards_) {
    const std::size_t size = shard.file.bytes().size();
    for (std::size_t at = 0; at < size; at += kPart) {
      shard.file.Prefetch(at, kPart);
      if (on_bytes) on_bytes(std::min(kPart, size - at));
    }
  }
}

std::string CheckpointFiles::StateText() const {
  Sha256 index;
  index.AddString(index_);
  std::string text = absl::StrCat("index ", ToHex(index.Finish()), "\n");
  for (const Shard& shard : shards_) {
    const FileIdentity& file = shard.file.identity();
    absl::StrAppend(&text, "shard ", shard.name, " device ", file.device, " inode ", file.inode,
                    " size ", file.size, " modified ", file.modified_ns, " changed ",
                    file.changed_ns, "\n");
  }
  return text;
}

std::int64_t CheckpointFiles::changed_ns() const {
  std::int64_t last = 0;
  for (const Shard& shard : shards_) {
    const FileIdentity& file = shard.file.identity();
    last = std::max({last, file.changed_ns, file.modified_ns});
  }
  return last;
}

absl::Status CheckpointFiles::CheckUnchanged() const {
  for (const Shard& shard : shards_) BATON_RETURN_IF_ERROR(shard.file.CheckUnchanged());
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
