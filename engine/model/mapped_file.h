// A file mapped for reading. Bytes come from the disk when they are first touched; a file that
// shrinks meanwhile would end the process with SIGBUS, so its size can be checked again.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton {

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

  /// Errors: FailedPrecondition when the file is no longer as long as it was.
  absl::Status CheckSize() const;

 private:
  MappedFile(std::string path, int descriptor, const std::byte* base, std::size_t size);

  std::string path_;
  int descriptor_;
  const std::byte* base_;
  std::size_t size_;
};

}  // namespace baton
