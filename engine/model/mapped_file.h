// A file mapped for reading. Bytes come from the disk when they are first touched; a file that
// shrinks meanwhile would end the process with SIGBUS, and one that is written would be read half
// old, half new: so what it was can be compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton {

/// Which file it is and in which state. No write leaves all of it as it was.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  // of its content; settable by its owner
  std::int64_t changed_ns = 0;   // of its inode; by the system alone

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

class MappedFile {
 public:
  /// Errors: NotFound; InvalidArgument when it is empty or no plain file; ResourceExhausted.
  static absl::StatusOr<MappedFile> Open(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;

  std::span<const std::byte> bytes() const { return {base_, size_}; }

  /// Asks the system to begin reading `bytes` from `offset` on; both may reach past the end.
  void Prefetch(std::size_t offset, std::size_t bytes) const;

  /// As it was when it was opened.
  const FileIdentity& identity() const { return identity_; }

  /// Errors: FailedPrecondition when its content is no longer what was opened.
  absl::Status CheckUnchanged() const;

 private:
  MappedFile(std::string path, int descriptor, const std::byte* base, const FileIdentity& identity);

  std::string path_;
  int descriptor_;
  const std::byte* base_;
  std::size_t size_;
  FileIdentity identity_;
};

}  // namespace baton
