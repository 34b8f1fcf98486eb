// The router's end of the link: a gRPC server to which workers dial. One bidirectional stream a
// worker; what it says goes to a sink, what the router says is queued and written in order.
//
// A peer that stops answering is noticed by HTTP/2 keepalive (1 s ping, 1 s patience).
//
// Thread: Send and Close from any; the sink is called on gRPC's threads, one call at a time per
// link.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/link_events.h"

namespace baton {

class LinkService {
 public:
  struct Options {
    std::string host = "127.0.0.1";  // loopback: off it, TLS would be needed
    int port = 0;                    // 0 = any free one
    int links_max = 1024;
  };

  /// Serves until destruction. Errors: InvalidArgument when `host` is not loopback; Unavailable
  /// when the port is taken.
  static absl::StatusOr<std::unique_ptr<LinkService>> Start(const Options& options,
                                                            RouterLinkSink sink);

  /// Ends every link; the sink is not called any more.
  ~LinkService();
  LinkService(const LinkService&) = delete;
  LinkService& operator=(const LinkService&) = delete;

  /// Queues `message`; after a `refused` the link is closed when it has been written. A link whose
  /// queue is full (kLinkQueueMax messages) is closed: its worker does not read. Unknown links are
  /// ignored, for they may have been lost a moment ago.
  void Send(LinkId link, link::RouterMessage&& message);

  /// Ends the link.
  void Close(LinkId link);

  int port() const;

 private:
  class Impl;
  explicit LinkService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton
