// A transport address as it travels in Hello: UCX's own bytes in a frame of ours.
//
//   0 magic "BTNU"   4 bytes of UCX u32   8 crc32c of them u32   12 UCX's worker address
//
// UCX unpacks an address without checking it, so that a truncated or foreign one could crash the
// process: the frame turns accidents into InvalidArgument. It is no defence against a liar: an
// address is taken only from a peer that showed the introduction token.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton {

inline constexpr std::size_t kTransportAddressBytesMax = 4096;

std::string WrapUcxAddress(absl::string_view ucx);

/// UCX's bytes. Errors: InvalidArgument.
absl::StatusOr<std::string> UnwrapUcxAddress(absl::string_view address);

}  // namespace baton
