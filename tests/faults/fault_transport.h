// A transport with failpoints, in front of and behind each message and write of the hand-off:
//   sending.MESSAGE, sent.MESSAGE   with MESSAGE one of hello, offer, grant, commit, ...
//   writing                         frames are about to be posted, under a lease that holds
//
// With `puts` it also lands frames as one-sided puts would: where the Grant said, whoever owns the
// page by now, and whatever the lease table answers. That is wrong on purpose: a test that does not
// notice it proves nothing about the lease table.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "kvtransfer/transport.h"
#include "tests/faults/failpoints.h"
#include "tests/faults/put_sink.h"

namespace baton {

class FaultTransport final : public Transport {
 public:
  /// `points` and `pages` outlive this.
  FaultTransport(std::unique_ptr<Transport> wire, const KvArena& pages, Failpoints& points,
                 bool puts);

  void SetSink(FrameSink* sink) override;
  std::string address() const override { return wire_->address(); }
  absl::StatusOr<PeerId> Connect(absl::string_view address) override {
    return wire_->Connect(address);
  }
  void Close(PeerId peer) override { wire_->Close(peer); }
  absl::Status Write(PeerId peer, std::span<const FrameWrite> frames, std::uint64_t tag) override;
  absl::Status Send(PeerId peer, absl::string_view payload) override;
  void Poll(std::vector<TransportEvent>& events) override { wire_->Poll(events); }
  int wake_fd() const override { return wire_->wake_fd(); }
  bool ArmWakeup() override { return wire_->ArmWakeup(); }
  PeerDescription Describe(PeerId peer) const override { return wire_->Describe(peer); }

 private:
  std::optional<PutSink> puts_;  // outlives the wire that lands in it
  const std::unique_ptr<Transport> wire_;
  Failpoints& points_;
};

}  // namespace baton
