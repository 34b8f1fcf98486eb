// A transport address as it travels in Hello.
//
//   0 magic "BTN1"   4 bytes that follow u32   8 crc32c of them u32
//   12 offers u8 (1 = shared memory, 2 = TCP)   13 machine [16]   29 UCX's worker address
//
// UCX unpacks an address without checking it, so that a truncated or foreign one could crash the
// process: the checksum turns accidents into InvalidArgument. It is no defence against a liar: an
// address is taken only from a peer that showed the introduction token.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton {

inline constexpr std::size_t kTransportAddressBytesMax = 4096;

/// What two processes must have in common to share memory: the running kernel, the ipc and pid
/// namespaces, the file system at /dev/shm, and the shape of a queue (UCX writes into the other
/// side's queue by its own settings, so that unequal ones would overrun it).
using MachineId = std::array<std::uint8_t, 16>;
MachineId ThisMachine();

struct UcxAddress {
  bool shm = false;
  bool tcp = false;
  MachineId machine{};
  std::string ucx;  // UcxWorker::address()

  std::string Encode() const;

  /// Errors: InvalidArgument.
  static absl::StatusOr<UcxAddress> Decode(absl::string_view address);
};

}  // namespace baton
