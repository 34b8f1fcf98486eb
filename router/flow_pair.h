// The two workers of one attempt, and the messages that start it at both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "proto/link.pb.h"
#include "router/request.h"

namespace baton {

struct FlowWorker {
  LinkId link{};
  std::string id;
  Incarnation incarnation{};
};

struct FlowPair {
  std::optional<FlowWorker> prefill;  // none: decode runs the prompt
  FlowWorker decode;
  std::string decode_transfer_address;
  std::string introduction;  // 16 bytes, the pair's
};

/// What both jobs of an attempt share. `generated`: the tokens that the client already has.
link::Sequence SequenceOf(const Request& request, std::uint32_t attempt,
                          const std::vector<TokenId>& generated, Duration time_left);

link::RouterMessage PrefillJobFor(const FlowPair& pair, const link::Sequence& sequence);
link::RouterMessage DecodeJobFor(const FlowPair& pair, const link::Sequence& sequence);
link::RouterMessage CancelFor(const RequestId& request, std::uint32_t attempt);

/// The pair's introduction: 16 bytes that nobody without `secret` can guess, the same for the same
/// two incarnations.
std::string IntroductionOf(const std::string& secret, Incarnation prefill, Incarnation decode);

}  // namespace baton
