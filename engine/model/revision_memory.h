// Remembers, across processes, which revision a model directory had, so that a start need not read
// every byte of weights that nobody has touched. A small file a directory, in the user's cache.
//
// What is remembered counts only while the directory's path, its config.json and index, and of
// every shard the name, device, inode, size, time of change of content and of inode are what they
// were. A user can set a file's mtime back, but not its ctime, which every write moves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace baton {

/// The state of a directory that a revision belongs to.
struct RevisionKey {
  std::string model_directory;  // canonical
  std::string text;             // of all that must be equal, in lines
  std::int64_t changed_ns = 0;  // when the youngest of its files last changed, since the epoch
};

class RevisionMemory {
 public:
  /// A file that changed that shortly before it was looked at may change again within the same tick
  /// of the file system's clock, and keep its times: such a revision is not remembered.
  static constexpr std::int64_t kSettledNs = 2'000'000'000;

  /// `cache_directory` is made when something is first remembered; empty: nothing ever is.
  explicit RevisionMemory(std::string cache_directory) : directory_(std::move(cache_directory)) {}

  /// Nothing where `key` is not exactly what was remembered, or the file is not ours alone to
  /// write.
  std::optional<std::string> Recall(const RevisionKey& key) const;

  /// `key` was read before the weights were, at `began_ns`, and is the same after. Errors: those of
  /// the file system, which mean that the next start reads all bytes again.
  absl::Status Remember(const RevisionKey& key, const std::string& revision,
                        std::int64_t began_ns) const;

 private:
  std::string PathFor(const RevisionKey& key) const;

  const std::string directory_;
};

}  // namespace baton
