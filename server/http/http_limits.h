// The bounds at the HTTP door. Each is tested at the limit and one past it; the status in brackets
// is the answer to a client that goes beyond.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/time.h"

namespace baton {

struct HttpLimits {
  std::size_t request_line_bytes_max = 8 * 1024;      // (414)
  std::size_t head_bytes_max = 32 * 1024;             // (431)
  int head_fields_max = 64;                           // (431)
  std::size_t body_bytes_max = 8 * 1024 * 1024;       // (413)
  std::size_t bodies_bytes_max = 128 * 1024 * 1024;   // of all requests in flight together (503)
  std::size_t small_body_bytes = 64 * 1024;           // of each body, not counted in that
  std::size_t pipelined_bytes_max = 16 * 1024;        // ahead of an answer: taken for gone
  std::size_t unsent_bytes_max = 1024 * 1024;         // of a stream, waiting here: taken for gone
  std::size_t send_buffer_bytes = 64 * 1024;          // SO_SNDBUF: what the kernel may hold unread
  int connections_max = 4096;                         // the longest idle one goes, else the new one
  int connections_per_address_max = 256;              // closed at once; loopback is exempt
  Duration head_time_max = std::chrono::seconds(10);  // first byte to end of head (408)
  Duration body_grace = std::chrono::seconds(10);     // afterwards `body_rate_min` rules (408)
  std::size_t body_rate_min = 32 * 1024;              // bytes a second
  Duration idle_time_max = std::chrono::seconds(60);  // keep-alive without a request: closed
  Duration stall_time_max =
      std::chrono::seconds(30);               // a reader that takes nothing: taken for gone
  Duration sweep_period = Milliseconds(250);  // how often the times above are looked at
};

}  // namespace baton
