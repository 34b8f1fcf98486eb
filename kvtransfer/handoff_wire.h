// The bytes of the small messages: a 32-byte little-endian header, then a protobuf body of at most
// 8 KiB (proto/handoff.proto). The only place that knows the encoding.
//
//   0 version u16 | 2 type u16 | 4 body bytes u32 | 8 session u64
//   16 sequence u32 | 20 reserved u32 | 24 frames_before u64
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "kvtransfer/handoff_message.h"

namespace baton {

inline constexpr std::uint16_t kHandoffWireVersion = 1;
inline constexpr std::size_t kHandoffHeaderBytes = 32;
inline constexpr std::size_t kGrantRunsMax = 256;
inline constexpr std::size_t kRenewLeasesMax = 512;
inline constexpr std::size_t kWorkerIdBytesMax = 64;
inline constexpr std::size_t kAddressBytesMax = 4096;

struct HandoffHeader {
  SessionId session{};              // 0: no session yet
  std::uint32_t sequence = 0;       // of messages in this session and direction, from 0
  std::uint64_t frames_before = 0;  // posted before this message in this session
};

struct DecodedMessage {
  HandoffHeader header;
  HandoffMessage message;
};

/// Errors: InvalidArgument when a list or text is longer than its limit.
absl::StatusOr<std::string> EncodeMessage(const HandoffHeader& header,
                                          const HandoffMessage& message);

/// Whatever the bytes are, a value or a Status.
/// Errors: InvalidArgument (not a message, beyond a limit), Unimplemented (another version).
absl::StatusOr<DecodedMessage> DecodeMessage(absl::string_view bytes);

}  // namespace baton
