// The bounds of the router-worker link, the same at both ends.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace baton {

// Source: docs/routing.md, "Noticing a peer that is gone": with a ping a second and a second's
// patience a stopped peer is noticed within 2.5 s, a cut within 2; gRPC's defaults take 39 s.
inline constexpr int kLinkPingMs = 1000;
inline constexpr int kLinkPingPatienceMs = 1000;

inline constexpr int kLinkMessageBytesMax = 64 << 20;  // a snapshot of 8 M page keys
inline constexpr int kLinkWindowBytes = 4 << 20;    // of flow control, fixed: no bandwidth probes
inline constexpr std::size_t kLinkQueueMax = 4096;  // messages that wait to be written

inline constexpr Duration kLinkOfferAgain = Milliseconds(2);  // to a sink that was full
inline constexpr Duration kLinkRegisterWait = std::chrono::seconds(5);
inline constexpr Duration kLinkStopWait = std::chrono::seconds(30);
inline constexpr Duration kLinkLeaveWait = Milliseconds(500);  // for an end in order, then by force

// A router that cannot be reached is told once it has been so for a moment (all of a machine start
// together), then now and then.
inline constexpr Duration kLinkTellAfter = std::chrono::seconds(1);
inline constexpr Duration kLinkTellEvery = std::chrono::minutes(1);

inline constexpr Duration kLinkRedialMin = Milliseconds(100);
inline constexpr Duration kLinkRedialMax = std::chrono::seconds(5);
inline constexpr Duration kLinkResolveEvery = std::chrono::seconds(5);
inline constexpr int kLinkConnectMs = 2000;

}  // namespace baton
