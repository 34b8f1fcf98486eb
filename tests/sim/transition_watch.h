// Which rows of the hand-off's two state machines a run has taken: (state, event, next state), by
// name. The linker puts the watch in front of `HandoffSender::On` and `HandoffReceiver::On`
// (CMakeLists.txt says how), so that the product needs no hook for it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace baton {

/// "sender Offered Granted Sending" -> how often, since the start of the process. Rows that change
/// nothing are in it too.
std::map<std::string, std::uint64_t> TransitionsTaken();

}  // namespace baton
