// A worker's end of the link: keeps one stream to every router. A host name stands for all its
// addresses and is resolved again every 5 s; a lost stream is dialled again after 0.1 to 5 s,
// jittered.
//
// Thread: Send and Close from any; the sink is called on gRPC's threads, one call at a time per
// link.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/link_events.h"

namespace baton {

class LinkClient {
 public:
  struct Options {
    std::vector<std::string> endpoints;  // "host:port"; names or literal addresses
    std::uint64_t seed = 0;              // of the jitter
  };

  /// Dials until destruction. Errors: InvalidArgument for an endpoint that is no host:port, or a
  /// literal address off loopback.
  static absl::StatusOr<std::unique_ptr<LinkClient>> Start(const Options& options,
                                                           WorkerLinkSink sink);

  /// Ends every link; the sink is not called any more.
  ~LinkClient();
  LinkClient(const LinkClient&) = delete;
  LinkClient& operator=(const LinkClient&) = delete;

  /// Queues `message`. A link whose queue is full (kLinkQueueMax messages) is closed: its router
  /// does not read. Unknown links are ignored, for they may have been lost a moment ago.
  void Send(LinkId link, link::WorkerMessage&& message);

  /// Ends the link; it is dialled again.
  void Close(LinkId link);

 private:
  class Impl;
  explicit LinkClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton
