#include "kvtransfer/ucx_wire.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "kvtransfer/ucx_transport.h"

namespace baton {
namespace {

/// "lane[0]:  3:posix/memory.0 md[3] -> ..." gives "posix".
std::string TransportOfLane(absl::string_view line) {
  const std::size_t lane = line.find("lane[");
  const std::size_t slash = line.find('/', lane);
  if (slash == absl::string_view::npos) return "";
  const std::size_t colon = line.rfind(':', slash);
  if (colon == absl::string_view::npos || colon < lane) return "";
  return std::string(line.substr(colon + 1, slash - colon - 1));
}

bool CarriesMessages(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  return std::find(words.begin(), words.end(), "am") != words.end();
}

}  // namespace

std::string WireOfEndpointText(absl::string_view text) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line.find("lane[") == absl::string_view::npos || !CarriesMessages(line)) continue;
    const std::string name = TransportOfLane(line);
    if (name == "posix" || name == "sysv" || name == "self") return "shm";
    return name.empty() ? "unknown" : name;
  }
  return "unknown";
}

absl::Status CheckWire(const PeerDescription& found, absl::string_view required) {
  if (required.empty() || found.wire == std::string(required)) return absl::OkStatus();
  if (found.wire == "unknown") {
    return absl::UnavailableError("nothing was exchanged with the peer yet: its wire is unknown");
  }
  return absl::FailedPreconditionError(absl::StrFormat(
      "transfer.require_transport is %s, but the peer is reached over %s: %s", required, found.wire,
      required == "shm" ? "both processes must share /dev/shm and the ipc and pid namespaces"
                        : "name only the transport that you require in transfer.transports"));
}

}  // namespace baton
