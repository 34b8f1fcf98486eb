// Whether a port of transfer.tcp_ports is left. UCX 1.13 tries the range again and again while all
// of it is taken, with the processor at 100 % and without a word: it must not be asked then.
#pragma once

#include "absl/status/status.h"
#include "kvtransfer/ucx_transport.h"

namespace baton {

/// Errors: Unavailable when TCP is wanted and every port is taken, by a listener or by connections
/// of a worker that died less than a minute ago.
absl::Status CheckPorts(const UcxOptions& options);

}  // namespace baton
