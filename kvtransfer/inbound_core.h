// What stands behind InboundTransfers: the lease table, the table of sessions, the table of
// hand-offs, and what carries their actions out. In four files by what drives them:
// inbound_transfers.cc (commands and rounds), inbound_arrivals.cc (the wire), inbound_actions.cc,
// inbound_sessions.cc.
//
// Thread: confined to the transfer thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kvtransfer/handoff_receiver.h"
#include "kvtransfer/inbound_memory.h"
#include "kvtransfer/inbound_session.h"
#include "kvtransfer/inbound_transfers.h"
#include "kvtransfer/lease_table.h"

namespace baton {

class InboundTransfers::Impl {
 public:
  Impl(LocalWorker self, const KvArena& arena, Transport& transport, std::uint64_t secret,
       TransferLimits limits);
  ~Impl();

  void On(const InboundCommand& command, Instant now);
  Instant Tick(Instant now);
  std::vector<InboundEvent> TakeEvents();
  bool settled() const { return handoffs_.empty(); }
  InboundStats stats() const;

 private:
  struct Inbound {
    Inbound(const ExpectInbound& command, const HandoffReceiver& machine)
        : expect(command), receiver(machine) {}

    ExpectInbound expect;
    HandoffReceiver receiver;
    SessionId session{};  // once offered
    LeaseId lease{};      // once pages are lent
    std::uint32_t grants = 0;
    OfferMessage offer;
    LeaseProgress landed;  // as the lease was erased
    Instant lent_at{};
  };
  struct HeldOffer {
    OfferMessage offer;
    SessionId session{};
    Instant until;
  };
  struct HeldHello {
    HelloMessage hello;
    Instant until;
  };

  // --- commands
  void Handle(const ExpectInbound& command, Instant now);
  void Handle(const RefuseInbound& command, Instant now);
  void Handle(const GrantInbound& command, Instant now);
  void Handle(const CloseInbound& command, Instant now);
  void Handle(const InboundVerdict& command, Instant now);
  void Handle(const DrainInbound& command, Instant now);
  bool Superseded(const ExpectInbound& command, Instant now);
  void OpenHeld(Instant now);

  // --- a machine's event, and its actions carried out
  void Give(Inbound& handoff, const HandoffReceiver::Event& event, Instant now,
            const GrantInbound* lent = nullptr);
  void Act(Inbound& handoff, ReceiverAction action, Instant now, const GrantInbound* lent);
  void SendGrant(Inbound& handoff, const GrantInbound& lent);
  void SendAbort(const Inbound& handoff);
  void NotifyLeaseClosed(const Inbound& handoff, Instant now);
  void Say(SessionId session, const HandoffMessage& message);
  void SayAbort(SessionId session, const OfferMessage& offer, HandoffReason reason);

  // --- sessions
  void Arrived(const HelloMessage& hello, Instant now);
  /// The refusal that this Hello deserves; reason kCommitted when none.
  HelloRefusal Judge(const HelloMessage& hello) const;
  void Accept(const HelloMessage& hello, Instant now);
  void Refuse(const HelloMessage& hello, const HelloRefusal& refusal, Instant now);
  bool MakeRoomForSession(Instant now);
  SessionId DrawSession();
  void Lose(SessionId id, SessionEnd end, Instant now);
  void TickSessions(Instant now);
  void CountLive();

  // --- the wire
  void Poll(Instant now);
  void Handle(const WriteDone& event, Instant now);
  void Handle(const MessageReceived& event, Instant now);
  void Handle(const PeerLost& event, Instant now);
  void HearProgress(Instant now);
  void Arrived(SessionId session, const HandoffMessage& message, Instant now);
  void Arrived(SessionId session, const OfferMessage& offer, Instant now);
  void Arrived(SessionId session, const RenewMessage& renew, Instant now);
  void Arrived(SessionId session, const CommitMessage& commit, Instant now);
  void Arrived(SessionId session, const AbortMessage& abort, Instant now);
  void Arrived(SessionId session, const AbortAckMessage& ack, Instant now);
  Inbound* FindLease(LeaseId lease, SessionId session);

  void TickHeld(Instant now);
  void EraseOver();
  Instant Due(Instant now) const;

  const LocalWorker self_;
  const Fingerprint fingerprint_;
  const KvArena& arena_;
  Transport& transport_;
  const std::uint64_t secret_;
  const TransferLimits limits_;
  LeaseTable leases_;
  bool draining_ = false;
  std::uint64_t sessions_drawn_ = 0;
  std::map<SessionId, InboundSession> sessions_;
  std::map<AttemptId, Inbound> handoffs_;  // erased when over
  std::map<LeaseId, AttemptId> lease_owners_;
  std::vector<HeldOffer> held_offers_;
  std::vector<HeldHello> held_hellos_;
  std::vector<RefusedPeer> refused_peers_;
  Remembered<LeaseId, kRememberedCommits> committed_;
  Remembered<AttemptId, kRememberedAttempts> ended_;
  Remembered<std::uint64_t, kRememberedHellos> nonces_;
  Remembered<Announced, kRememberedIntroductions> announced_;
  std::vector<InboundEvent> events_;
  std::vector<TransportEvent> arrived_;
  std::vector<LeaseId> touched_;  // by this round's frames
  InboundStats stats_;
};

}  // namespace baton
