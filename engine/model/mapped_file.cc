#include "engine/model/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace baton {

namespace {

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileIdentity IdentityOf(const struct stat& info) {
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = static_cast<std::uint64_t>(info.st_size),
          .modified_ns = Nanoseconds(info.st_mtim),
          .changed_ns = Nanoseconds(info.st_ctim)};
}

}  // namespace

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  struct stat info {};
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0) {
    close(descriptor);
    return absl::InvalidArgumentError(absl::StrCat(path, " is empty or not a plain file"));
  }
  const auto size = static_cast<std::size_t>(info.st_size);
  void* base = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (base == MAP_FAILED) {
    close(descriptor);
    return absl::ResourceExhaustedError(absl::StrCat("cannot map ", size, " bytes of ", path));
  }
  return MappedFile(path, descriptor, static_cast<const std::byte*>(base), IdentityOf(info));
}

MappedFile::MappedFile(std::string path, int descriptor, const std::byte* base,
                       const FileIdentity& identity)
    : path_(std::move(path)),
      descriptor_(descriptor),
      base_(base),
      size_(identity.size),
      identity_(identity) {}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      base_(std::exchange(other.base_, nullptr)),
      size_(other.size_),
      identity_(other.identity_) {}

MappedFile::~MappedFile() {
  if (base_ == nullptr) return;
  munmap(const_cast<std::byte*>(base_), size_);
  close(descriptor_);
}

// A page touched alone is a small read with a wait; asked for ahead, reads are large and overlap
// what is done with the bytes.
void MappedFile::Prefetch(std::size_t offset, std::size_t bytes) const {
  if (offset >= size_) return;
  readahead(descriptor_, static_cast<off64_t>(offset), std::min(bytes, size_ - offset));
}

absl::Status MappedFile::CheckUnchanged() const {
  struct stat info {};
  if (fstat(descriptor_, &info) == 0) {
    const FileIdentity now = IdentityOf(info);
    // Not the inode's time: a rename or another link moves it and leaves the bytes alone.
    if (now.size == identity_.size && now.modified_ns == identity_.modified_ns) {
      return absl::OkStatus();
    }
  }
  return absl::FailedPreconditionError(absl::StrCat(
      path_, " changed while it was read; replace model directories, not files inside them"));
}

}  // namespace baton
