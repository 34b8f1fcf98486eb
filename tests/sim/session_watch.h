// Holds every session against the rule that it joins the two lives it was opened for: an answer
// that accepts a Hello comes from the life that the Hello names.
#pragma once

#include <cstdint>
#include <map>
#include <variant>

#include "absl/strings/string_view.h"
#include "kvtransfer/handoff_wire.h"

namespace baton {

class SessionWatch {
 public:
  /// Of every message, when it is posted. False when it accepts a Hello that meant another life.
  bool OnSent(absl::string_view payload) {
    const auto decoded = DecodeMessage(payload);
    if (!decoded.ok()) return true;  // whose fault that is, its reader tells
    if (const auto* hello = std::get_if<HelloMessage>(&decoded->message)) {
      meant_[hello->nonce] = hello->expected_incarnation;
    }
    const auto* ack = std::get_if<HelloAckMessage>(&decoded->message);
    if (ack == nullptr || ack->refused) return true;
    const auto meant = meant_.find(ack->nonce);
    return meant != meant_.end() && meant->second == ack->incarnation;
  }

 private:
  std::map<std::uint64_t, Incarnation> meant_;  // by the nonce of the Hello
};

}  // namespace baton
