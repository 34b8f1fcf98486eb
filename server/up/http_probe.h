// One small GET on loopback, with a deadline: how `baton up` sees that its children are ready.
#pragma once

#include "absl/strings/string_view.h"
#include "base/time.h"

namespace baton {

/// The status of `GET path` at 127.0.0.1:port, or 0 when nobody answers within `patience`.
int ProbeHttp(int port, absl::string_view path, Duration patience);

/// True when nobody listens on 127.0.0.1:port. Another process may take it a moment later.
bool PortIsFree(int port);

/// A port that is free now, chosen by the kernel; 0 when there is none.
int AnyFreePort();

}  // namespace baton
