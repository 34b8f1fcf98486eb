#include "engine/model/revision_memory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/digest.h"

namespace baton {
namespace {

constexpr char kFirstLine[] = "baton revision 1\n";  // another number: another meaning of the rest
constexpr std::size_t kFileBytesMax = std::size_t{16} << 20;
constexpr std::size_t kDigits = 64;

std::string HashOf(absl::string_view text) {
  Sha256 hash;
  hash.AddString(text);
  return ToHex(hash.Finish());
}

bool IsRevision(absl::string_view text) {
  if (text.size() != kDigits) return false;
  for (const char c : text) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

/// The whole file: its last line holds it together, so that half of one is none.
std::string Render(const RevisionKey& key, absl::string_view revision) {
  const std::string body = absl::StrCat(kFirstLine, key.text, "revision ", revision, "\n");
  return absl::StrCat(body, "check ", HashOf(body), "\n");
}

/// Empty unless it is a plain file that only this user can write.
std::string ReadOwn(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return "";
  struct stat info {};
  std::string text;
  const bool own = fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
                   (info.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
                   static_cast<std::size_t>(info.st_size) <= kFileBytesMax;
  if (own) {
    text.resize(static_cast<std::size_t>(info.st_size));
    const ssize_t got = read(file, text.data(), text.size());
    if (got != static_cast<ssize_t>(text.size())) text.clear();
  }
  close(file);
  return text;
}

absl::Status WriteWhole(const std::string& path, absl::string_view text) {
  const std::string unfinished = absl::StrCat(path, ".", getpid());
  const int file =
      open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", unfinished));
  const ssize_t written = write(file, text.data(), text.size());
  close(file);
  if (written == static_cast<ssize_t>(text.size()) &&
      rename(unfinished.c_str(), path.c_str()) == 0) {
    return absl::OkStatus();
  }
  const absl::Status failed = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  unlink(unfinished.c_str());
  return failed;
}

}  // namespace

std::string RevisionMemory::PathFor(const RevisionKey& key) const {
  return absl::StrCat(directory_, "/revision-", HashOf(key.model_directory).substr(0, 32));
}

std::optional<std::string> RevisionMemory::Recall(const RevisionKey& key) const {
  if (directory_.empty()) return std::nullopt;
  const std::string text = ReadOwn(PathFor(key));
  const std::string before = absl::StrCat(kFirstLine, key.text, "revision ");
  if (text.size() < before.size() + kDigits || text.compare(0, before.size(), before) != 0) {
    return std::nullopt;
  }
  const std::string revision = text.substr(before.size(), kDigits);
  if (!IsRevision(revision) || text != Render(key, revision)) return std::nullopt;
  return revision;
}

absl::Status RevisionMemory::Remember(const RevisionKey& key, const std::string& revision,
                                      std::int64_t began_ns) const {
  if (directory_.empty() || began_ns - key.changed_ns < kSettledNs) return absl::OkStatus();
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("cannot make ", directory_, ": ", error.message()));
  }
  return WriteWhole(PathFor(key), Render(key, revision));
}

}  // namespace baton
