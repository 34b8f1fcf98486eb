// The calls that are being answered, by number, and the way their tokens come in.
//
// Thread: HTTP, but for what the gateway calls on observers (see AnswerInbox).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/time.h"
#include "server/http/http_server.h"
#include "server/openai/answer_inbox.h"
#include "server/openai/generation.h"
#include "server/openai/stream_sink.h"

namespace baton {

class CallTable {
 public:
  /// `comment_period`: how long a stream may be silent before its first token.
  CallTable(HttpServer& server, const DoorMetrics& metrics, Duration comment_period,
            std::size_t calls_max);

  bool full() const { return calls_.size() >= calls_max_; }

  /// A number for the next call: what OnGone and Run name it by.
  std::uint64_t NextNumber() { return ++last_number_; }

  /// Owns `generation` from now on and submits its requests. `stream` is its sink when that is a
  /// stream, else null.
  void Run(std::uint64_t number, std::unique_ptr<Generation> generation, StreamSink* stream,
           GenerationPlan plan);

  /// Ends every call with this error.
  void FailAll(const HttpError& error);

  /// The client of that call is gone.
  void Abandon(std::uint64_t number);

 private:
  struct Call {
    std::unique_ptr<Generation> generation;
    StreamSink* stream = nullptr;  // owned by the generation
    bool has_token = false;
    Instant silent_since{};
  };

  void Deliver();
  void DeliverOne(const AnswerEvent& event);
  void Tick(Instant now);

  const DoorMetrics& metrics_;
  const Duration comment_period_;
  const std::size_t calls_max_;
  AnswerInbox inbox_;
  std::vector<AnswerEvent> events_;  // of one batch, reused
  std::map<std::uint64_t, Call> calls_;
  std::uint64_t last_number_ = 0;
};

}  // namespace baton
