#include "server/up/shm_room.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_format.h"
#include "kvtransfer/ucx_window.h"

namespace baton {
namespace {

// A queue at each end of a pair's stream; the same again once, for the workers' own.
constexpr std::uint64_t kBytesAPair = 2 * kQueueSegments * kSegmentBytes;
constexpr int kMiB = 20;

}  // namespace

std::uint64_t ShmBytesFor(int pairs) {
  return pairs > 0 ? (static_cast<std::uint64_t>(pairs) + 1) * kBytesAPair : 0;
}

absl::Status CheckShmRoom(int pairs, std::uint64_t free_bytes) {
  const std::uint64_t needed = ShmBytesFor(pairs);
  if (free_bytes >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrFormat(
      "%d pairs of workers hand over through %d MiB of /dev/shm, and %d MiB of it are free: make "
      "room (docker: --shm-size), start fewer workers, or use TCP alone: --set "
      "transfer.transports=[tcp]",
      pairs, needed >> kMiB, free_bytes >> kMiB));
}

std::uint64_t FreeShmBytes() {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space("/dev/shm", error);
  return error ? 0 : space.available;
}

}  // namespace baton
