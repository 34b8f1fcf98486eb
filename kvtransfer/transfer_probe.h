// One end of a measurement or self-test: known pages that are pushed to the other end, pulled back
// and compared. Over any Transport, so that loopback tests it and UCX is tested by it.
//
// A driver opens the conversation with the address of its peer; the peer serves. Frames name
// pages of the probe's own arena; the sink checks them as a lease table would.
//
//   driver            responder
//   hello(address) ->            the responder connects back
//                  <- welcome
//   frames, done   ->            push
//                  <- got(frames landed)
//   back           ->            pull
//                  <- frames, done
//   ping           -> / <- pong  latency
//   quit           ->
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/time.h"
#include "kvcache/kv_arena.h"
#include "kvtransfer/transport.h"

namespace baton {

struct ProbeShape {
  std::uint32_t pages = 64;
  std::uint32_t page_bytes = 72 * 1024;
  std::uint32_t frame_bytes = 36 * 1024;  // the last frame of a page may be shorter
  Duration spin{};                        // polls this long before it sleeps on the descriptor
};

class TransferProbe final : private FrameSink {
 public:
  /// Takes the transport's sink for its life. Errors come later, from the calls below.
  TransferProbe(Transport& transport, const ProbeShape& shape);
  ~TransferProbe() override;
  TransferProbe(const TransferProbe&) = delete;
  TransferProbe& operator=(const TransferProbe&) = delete;

  /// Writes the pattern of `seed` over all pages, or 0xFF.
  void Fill(std::uint64_t seed);
  void Poison();

  /// Pages that are not the pattern of `seed`.
  std::uint32_t WrongPages(std::uint64_t seed) const;

  /// Driver: connects, and waits until the peer answers. All waits end at `deadline`.
  /// Errors of all below: DeadlineExceeded, Unavailable (peer lost), DataLoss (a checksum or a
  /// count does not agree).
  absl::Status Open(absl::string_view address, Instant deadline);

  /// Driver: every page to the peer, in the order given (page numbers of the arena), until the peer
  /// says that all have landed.
  absl::Status Push(const std::vector<std::uint32_t>& order, Instant deadline);

  /// Driver: asks for every page and waits until all have landed here.
  absl::Status Pull(Instant deadline);

  /// Driver: one small message there and back.
  absl::StatusOr<Duration> RoundTrip(Instant deadline);

  /// Driver: lets the peer's Serve return.
  absl::Status Quit();

  /// Responder: serves one driver until it quits or is lost, or stop is requested.
  absl::Status Serve(std::stop_token stop, Instant deadline);

  /// The driver's first message of conversation `talk`, with which Open begins: for a test that
  /// converses by hand. `address`: where the responder finds the driver.
  static std::string HelloMessage(std::uint64_t talk, absl::string_view address);

  /// What carries the bytes, once Open has returned or the driver has said hello.
  PeerDescription Describe() const;

  std::uint32_t frames_per_page() const;

 private:
  std::byte* Admit(const FrameHeader& header) override;
  void Landed(const FrameHeader& header, bool checksum_agrees) override;

  absl::Status PostPages(const std::vector<std::uint32_t>& order, Instant deadline);
  absl::Status PostPage(std::uint32_t page);
  absl::Status Say(char kind, absl::string_view body = "");
  /// Keeps a message of this conversation; one from before, of a peer that died, is dropped.
  void Hear(const std::string& payload);
  absl::StatusOr<std::string> Await(char kind, Instant deadline);
  absl::Status Leave();
  absl::Status Answer(const std::string& message, Instant deadline);
  absl::Status CheckLanded(std::uint64_t frames) const;
  absl::Status Step(Instant deadline);

  Transport& transport_;
  const ProbeShape shape_;
  std::unique_ptr<KvArena> arena_;  // null, and broken_ says why, when it cannot be had
  std::optional<PeerId> peer_;
  std::uint64_t talk_ = 0;  // the driver's number for this conversation, in every message
  std::vector<TransportEvent> events_;
  std::vector<std::string> inbox_;  // messages not yet answered, oldest first
  std::vector<FrameWrite> batch_;   // [frames_per_page], reused
  std::uint64_t writes_open_ = 0;
  std::uint64_t landed_ = 0;
  std::uint64_t damaged_ = 0;
  absl::Status broken_;  // of the peer or of a write; final
  Instant idle_since_{};
};

}  // namespace baton
