// The calls of baton.v1.Inference.Generate that are being answered. For public_service.cc alone.
//
//   gRPC or text thread: plan ----> gateway             each event of a call, under the lock, may
//   route thread: token ---> generation ---> queue  ->  yield one thing to do with gRPC (write,
//   gRPC thread: written, cancelled ----------------->  finish), which is done after the lock
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/time.h"
#include "proto/baton_public.pb.h"
#include "server/openai/call_plan.h"
#include "server/openai/generation.h"
#include "server/openai/text_threads.h"

namespace baton {

class PublicGenerateCall;

/// The status of a refusal, with `baton-error-code` and `baton-error-param` put into the call's
/// trailing metadata.
grpc::Status PublicStatus(const HttpError& error, grpc::ServerContextBase& context);

class PublicGenerateCalls {
 public:
  PublicGenerateCalls(const CallContext& context, Gateway& gateway, TextThreads& texts,
                      const DoorMetrics& metrics, std::size_t calls_max)
      : context_(context),
        gateway_(gateway),
        texts_(texts),
        metrics_(metrics),
        calls_max_(calls_max) {}

  /// The reactor of a new call; it deletes itself.
  grpc::ServerWriteReactor<v1::GenerateEvent>* Open(grpc::CallbackServerContext& context,
                                                    const v1::GenerateRequest& request);

 private:
  friend class PublicGenerateCall;
  class Observer;
  class Preparation;

  std::optional<HttpError> Plan(const grpc::CallbackServerContext& context,
                                const v1::GenerateRequest& request, ApiCall& call,
                                GenerationPlan& plan);
  void Start(PublicGenerateCall& reactor, const ApiCall& call, GenerationPlan plan,
             Instant read_at);
  void DeliverPrompt(std::uint64_t number, int choice, const std::vector<PromptLogprob>& tokens);
  void Deliver(std::uint64_t number, int choice, const std::vector<TokenOutput>& tokens,
               const AnswerEnd* end);

  const CallContext context_;
  Gateway& gateway_;
  TextThreads& texts_;
  const DoorMetrics& metrics_;
  const std::size_t calls_max_;
  std::mutex mutex_;  // guards what follows, and the state of every call
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, PublicGenerateCall*> calls_;  // those that may still be told something
};

}  // namespace baton
