#include "kvtransfer/ucx_status.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"

namespace baton {
namespace {

using Entry = std::pair<ucs_status_t, absl::string_view>;

constexpr std::array kNames{
    Entry{UCS_OK, "OK"},
    Entry{UCS_INPROGRESS, "INPROGRESS"},
    Entry{UCS_ERR_NO_MESSAGE, "NO_MESSAGE"},
    Entry{UCS_ERR_NO_RESOURCE, "NO_RESOURCE"},
    Entry{UCS_ERR_IO_ERROR, "IO_ERROR"},
    Entry{UCS_ERR_NO_MEMORY, "NO_MEMORY"},
    Entry{UCS_ERR_INVALID_PARAM, "INVALID_PARAM"},
    Entry{UCS_ERR_UNREACHABLE, "UNREACHABLE"},
    Entry{UCS_ERR_INVALID_ADDR, "INVALID_ADDR"},
    Entry{UCS_ERR_NOT_IMPLEMENTED, "NOT_IMPLEMENTED"},
    Entry{UCS_ERR_MESSAGE_TRUNCATED, "MESSAGE_TRUNCATED"},
    Entry{UCS_ERR_NO_PROGRESS, "NO_PROGRESS"},
    Entry{UCS_ERR_BUFFER_TOO_SMALL, "BUFFER_TOO_SMALL"},
    Entry{UCS_ERR_NO_ELEM, "NO_ELEM"},
    Entry{UCS_ERR_SOME_CONNECTS_FAILED, "SOME_CONNECTS_FAILED"},
    Entry{UCS_ERR_NO_DEVICE, "NO_DEVICE"},
    Entry{UCS_ERR_BUSY, "BUSY"},
    Entry{UCS_ERR_CANCELED, "CANCELED"},
    Entry{UCS_ERR_SHMEM_SEGMENT, "SHMEM_SEGMENT"},
    Entry{UCS_ERR_ALREADY_EXISTS, "ALREADY_EXISTS"},
    Entry{UCS_ERR_OUT_OF_RANGE, "OUT_OF_RANGE"},
    Entry{UCS_ERR_TIMED_OUT, "TIMED_OUT"},
    Entry{UCS_ERR_EXCEEDS_LIMIT, "EXCEEDS_LIMIT"},
    Entry{UCS_ERR_UNSUPPORTED, "UNSUPPORTED"},
    Entry{UCS_ERR_REJECTED, "REJECTED"},
    Entry{UCS_ERR_NOT_CONNECTED, "NOT_CONNECTED"},
    Entry{UCS_ERR_CONNECTION_RESET, "CONNECTION_RESET"},
    Entry{UCS_ERR_ENDPOINT_TIMEOUT, "ENDPOINT_TIMEOUT"},
};

}  // namespace

absl::string_view UcxStatusName(ucs_status_t status) {
  const auto found = std::find_if(kNames.begin(), kNames.end(),
                                  [status](const Entry& entry) { return entry.first == status; });
  return found == kNames.end() ? "UNKNOWN" : found->second;
}

absl::Status FromUcx(ucs_status_t status, absl::string_view what) {
  if (status == UCS_OK) return absl::OkStatus();
  const std::string message = absl::StrFormat("%s: UCX says %s (%d)", what, UcxStatusName(status),
                                              static_cast<int>(status));
  if (status == UCS_ERR_CANCELED) return absl::CancelledError(message);
  return absl::UnavailableError(message);
}

}  // namespace baton
