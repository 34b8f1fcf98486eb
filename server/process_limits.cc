#include "server/process_limits.h"

#include <sys/resource.h>

#include <algorithm>

#include "absl/strings/str_format.h"

namespace baton {
namespace {

// A worker that serves one client holds about 60 (gRPC, UCX over two wires, HTTP, model files); a
// few hundred leave room for connections.
constexpr rlim_t kOpenFilesMin = 256;
constexpr rlim_t kOpenFilesEnough = 65'536;  // more than the bounds of links and connections allow

}  // namespace

absl::Status RaiseOpenFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return absl::OkStatus();
  if (limit.rlim_max < kOpenFilesMin) {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "this process may open %d files, and needs %d: raise the hard limit (ulimit -Hn 4096, "
        "LimitNOFILE=4096 of systemd, --ulimit nofile=4096 of docker)",
        limit.rlim_max, kOpenFilesMin));
  }
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kOpenFilesEnough));
  setrlimit(RLIMIT_NOFILE, &limit);
  return absl::OkStatus();
}

}  // namespace baton
