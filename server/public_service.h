// The public gRPC front door: proto/baton_public.proto behind the same validator and limits as
// HTTP, and grpc.health.v1. Off unless `router.public_grpc_port` is set.
//
// Thread: SetReady from any; calls run on gRPC's threads, answers come in on the route thread. One
// lock orders the events of all calls; it is never held while gRPC is called.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/metrics.h"
#include "server/gateway.h"
#include "server/openai/api_handlers.h"
#include "server/openai/text_threads.h"
#include "server/text/tokenizer.h"

namespace baton {

class PublicService {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    int port = 0;  // 0 = any free one
    int calls_max = 1024;
    ApiOptions api;  // as for HTTP: give both the same
  };

  /// Serves until Stop. Large inputs are read on `texts`, which runs until Stop has returned. What
  /// is passed by reference outlives it, and the gateway must have dropped every observer before it
  /// dies: stop this, then the route thread, then destroy. Errors: Unavailable when the port is
  /// taken.
  static absl::StatusOr<std::unique_ptr<PublicService>> Start(const Options& options,
                                                              Gateway& gateway,
                                                              const Tokenizer& tokenizer,
                                                              TextThreads& texts, Metrics& metrics);
  ~PublicService();

  /// What grpc.health.v1 says of baton.v1.Inference and "readiness"; false at start, and to be
  /// false again before a drain. "" and "liveness" serve as long as the process does.
  void SetReady(bool ready);

  /// Ends every call and takes no more.
  void Stop();

  int port() const;

 private:
  class Impl;
  explicit PublicService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton
