#include "router/flow_pair.h"

#include <algorithm>

#include "base/digest.h"
#include "proto/convert.h"

namespace baton {
namespace {

constexpr std::size_t kIntroductionBytes = 16;
constexpr std::int64_t kDeadlineMsMax = 0xffffffff;

}  // namespace

link::Sequence SequenceOf(const Request& request, std::uint32_t attempt,
                          const std::vector<TokenId>& generated, Duration time_left) {
  link::Sequence sequence;
  ToProto(request.id, sequence.mutable_request());
  sequence.set_attempt(attempt);
  sequence.mutable_tokens()->Add(request.prompt.begin(), request.prompt.end());
  sequence.mutable_tokens()->Add(generated.begin(), generated.end());
  sequence.set_prompt_tokens(static_cast<std::uint32_t>(request.prompt.size()));
  ToProto(request.sampling, sequence.mutable_sampling());
  ToProto(request.stop, sequence.mutable_stop());
  sequence.set_cache_salt(request.cache_salt);
  const std::int64_t left =
      std::chrono::duration_cast<std::chrono::milliseconds>(time_left).count();
  sequence.set_deadline_ms(
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 1, kDeadlineMsMax)));
  return sequence;
}

link::RouterMessage PrefillJobFor(const FlowPair& pair, const link::Sequence& sequence) {
  link::RouterMessage message;
  link::PrefillJob& job = *message.mutable_prefill();
  *job.mutable_sequence() = sequence;
  job.mutable_decode()->set_worker_id(pair.decode.id);
  job.mutable_decode()->set_incarnation(Index(pair.decode.incarnation));
  job.mutable_decode()->set_transfer_address(pair.decode_transfer_address);
  job.mutable_decode()->set_introduction(pair.introduction);
  return message;
}

link::RouterMessage DecodeJobFor(const FlowPair& pair, const link::Sequence& sequence) {
  link::RouterMessage message;
  link::DecodeJob& job = *message.mutable_decode();
  *job.mutable_sequence() = sequence;
  if (pair.prefill) {
    job.mutable_prefill()->set_worker_id(pair.prefill->id);
    job.mutable_prefill()->set_incarnation(Index(pair.prefill->incarnation));
    job.mutable_prefill()->set_introduction(pair.introduction);
  }
  return message;
}

link::RouterMessage CancelFor(const RequestId& request, std::uint32_t attempt) {
  link::RouterMessage message;
  ToProto(request, message.mutable_cancel()->mutable_request());
  message.mutable_cancel()->set_attempt(attempt);
  return message;
}

std::string IntroductionOf(const std::string& secret, Incarnation prefill, Incarnation decode) {
  Sha256 hash;
  hash.AddString("baton introduction");
  hash.AddString(secret);
  hash.AddU64(Index(prefill));
  hash.AddU64(Index(decode));
  const Sha256Digest digest = hash.Finish();
  return {digest.begin(), digest.begin() + kIntroductionBytes};
}

}  // namespace baton
