// What stands behind OutboundTransfers: the table of sessions, the table of hand-offs, and what
// carries their actions out. In five files by what drives them: outbound_transfers.cc (commands
// and rounds), outbound_progress.cc (the engine), outbound_arrivals.cc (the wire),
// outbound_sessions.cc, outbound_posting.cc (pages).
//
// Thread: confined to the transfer thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "kvtransfer/handoff_sender.h"
#include "kvtransfer/outbound_session.h"
#include "kvtransfer/outbound_transfers.h"
#include "kvtransfer/step_progress.h"

namespace baton {

class OutboundTransfers::Impl {
 public:
  Impl(LocalWorker self, const KvArena& arena, Transport& transport, std::uint64_t seed,
       TransferLimits limits);
  ~Impl();

  void On(const OutboundCommand& command, Instant now);
  Instant Tick(Instant now);
  std::vector<OutboundEvent> TakeEvents();
  bool settled() const { return handoffs_.empty(); }
  OutboundStats stats() const;

 private:
  using SessionKey = std::uint32_t;

  /// One hand-off and the instants that its times are made of.
  struct Outbound {
    Outbound(const StartOutbound& command, const HandoffSender& machine)
        : start(command), sender(machine) {}

    StartOutbound start;
    HandoffSender sender;
    SessionKey session = 0;
    std::uint32_t first_renew = 0;  // the first Renew that names its lease
    std::uint32_t retry_after_ms = 0;
    std::string message;
    std::string wire;      // of a session that is gone
    bool closing = false;  // layers of its last chunk are done: every byte left is waited for
    Instant offered_at{};
    Instant granted_at{};
    Instant first_write_at{};
    Instant last_write_at{};
    Instant computed_at{};
    Instant commit_at{};
  };

  /// Frames that the transport reads until it reports them.
  struct OpenWrite {
    HandoffId handoff{};
    SessionId session{};
    std::uint64_t bytes = 0;
  };

  // --- commands
  void Handle(const StartOutbound& command, Instant now);
  void Handle(const OutboundStep& command, Instant now);
  void Handle(const OutboundLayer& command, Instant now);
  void Handle(const OutboundFirstToken& command, Instant now);
  void Handle(const CancelOutbound& command, Instant now);
  void Handle(const OutboundVerdict& command, Instant now);
  void Handle(const DrainOutbound& command, Instant now);
  void PagesComplete(const std::vector<StepSpan>& spans, Instant now);
  void LayersComplete(const std::vector<StepSpan>& spans, std::uint32_t layers, Instant now);
  bool WorthSplitting(const Outbound& handoff, std::uint32_t first_page) const;

  // --- a machine's event, and its actions carried out
  void Give(Outbound& handoff, const HandoffSender::Event& event, Instant now);
  void Act(Outbound& handoff, SenderAction action, Instant now);
  void SendOffer(Outbound& handoff, Instant now);
  void SendAbort(const Outbound& handoff);
  void NotifyEnded(Outbound& handoff, Instant now);
  void Say(SessionKey key, const HandoffMessage& message);

  // --- sessions
  /// 0 when there is no room for one more.
  SessionKey SessionFor(const DecodePeer& peer);
  bool MakeRoomForSession();
  void CountLive();
  void TickSession(SessionKey key, OutboundSession& session, Instant now);
  void Connect(SessionKey key, OutboundSession& session, Instant now);
  void Renew(SessionKey key, OutboundSession& session, Instant now);
  /// Ends the session, and with it all its hand-offs.
  void Lose(SessionKey key, HandoffReason reason, const std::string& message, Instant now);
  Instant DueOf(const OutboundSession& session, Instant now) const;
  std::uint64_t Draw();

  // --- the wire
  void Poll(Instant now);
  void Handle(const WriteDone& event, Instant now);
  void Handle(const MessageReceived& event, Instant now);
  void Handle(const PeerLost& event, Instant now);
  void Acknowledged(const HandoffHeader& header, const HelloAckMessage& ack, Instant now);
  bool IsKnown(const std::string& field) const;
  void Arrived(SessionKey key, const HandoffMessage& message, Instant now);
  void Arrived(SessionKey key, const GrantMessage& grant, Instant now);
  void Arrived(SessionKey key, const RenewAckMessage& ack, Instant now);
  void Arrived(SessionKey key, const CommitAckMessage& ack, Instant now);
  void Arrived(SessionKey key, const AbortMessage& abort, Instant now);
  Outbound* Find(HandoffId id, SessionKey key);
  SessionKey FindSession(SessionId id) const;
  Outbound* FindLease(LeaseId lease, SessionKey key);

  // --- pages
  void PostPages(Instant now);
  /// Those that close, or the others. False when the round has to end.
  bool PostPagesOf(bool closing, std::uint32_t& frames_left, Instant now);
  /// Returns how many frames went out; 0 when nothing may now.
  std::uint32_t PostBatch(Outbound& handoff, std::uint32_t frames_max, Instant now);
  void FillBatch(const Outbound& handoff, std::uint32_t frames_max, Instant now);
  bool BatchIsFor(const Outbound& handoff, const PieceToSend& first) const;

  const LocalWorker self_;
  const Fingerprint fingerprint_;
  const KvArena& arena_;
  Transport& transport_;
  const TransferLimits limits_;
  std::uint64_t random_;
  StepProgress steps_;
  bool draining_ = false;
  SessionKey next_session_ = 1;
  std::map<SessionKey, OutboundSession> sessions_;
  std::map<HandoffId, Outbound> handoffs_;  // erased when settled
  std::uint64_t next_tag_ = 1;
  absl::flat_hash_map<std::uint64_t, OpenWrite> open_writes_;  // by tag; never iterated
  std::vector<FrameWrite>
      batch_;  // kept when the transport had no room: its checksums are paid for
  HandoffId batch_of_{};
  bool post_again_ = false;  // more could be posted than one round may
  std::vector<OutboundEvent> events_;
  std::vector<TransportEvent> arrived_;
  OutboundStats stats_;
};

}  // namespace baton
