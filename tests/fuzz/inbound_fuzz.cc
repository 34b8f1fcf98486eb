// A peer that says whatever it likes, in any order, to a decode worker that has lent it two pages:
// messages of every kind with any values, raw bytes, frames with any header, replays, time that
// passes. Nothing may end the process, and no byte may change in a page that is not lent.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "kvtransfer/copy_crc.h"
#include "kvtransfer/handoff_wire.h"
#include "kvtransfer/inbound_transfers.h"
#include "kvtransfer/loopback_transport.h"

namespace baton {
namespace {

constexpr std::uint32_t kPages = 8;
constexpr std::uint32_t kPromptTokens = 8;  // two pages
constexpr int kPoison = 0xab;
constexpr AttemptId kAttempt{{1, 2}, 1};
constexpr HandoffId kHandoff{9};
constexpr Incarnation kHere{200};
constexpr Incarnation kThere{100};

KvLayout SmallLayout() {
  return {.num_layers = 2, .tokens_per_page = 4, .latent_dim = 6, .rope_dim = 2};
}

/// The input, taken from the front; zeros when it is used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  bool empty() const { return size_ == 0; }

  template <typename T>
  T Take() {
    T value{};
    const std::size_t bytes = std::min(sizeof(T), size_);
    std::memcpy(&value, data_, bytes);
    data_ += bytes;
    size_ -= bytes;
    return value;
  }
  std::string Bytes(std::size_t most) {
    const std::size_t bytes = std::min(most, size_);
    std::string out(reinterpret_cast<const char*>(data_), bytes);
    data_ += bytes;
    size_ -= bytes;
    return out;
  }
  /// `right` most of the time, else anything.
  template <typename T>
  T Near(T right) {
    const auto how = Take<std::uint8_t>();
    if (how < 160) return right;
    if (how < 208) return static_cast<T>(right + static_cast<T>(Take<std::int8_t>()));
    return Take<T>();
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

class World {
 public:
  explicit World(Input input) : input_(input) {
    fabric_.SetFrameBytesBest(SmallLayout().LayerBytes());
    std::memset(arena_->base(), kPoison, kPages * SmallLayout().PageBytes());
    ExpectInbound expect;
    expect.id = kAttempt;
    expect.prefill = kThere;
    expect.prompt_tokens = kPromptTokens;
    inbound_.On(expect, now_);
    Send({}, Hello());
    Send(Numbered(), Offer());
    GrantInbound grant;
    grant.id = kAttempt;
    grant.pages = {PageId{5}, PageId{2}};
    inbound_.On(grant, now_);
    Round();
    BATON_CHECK(Index(lease_) != 0);  // else nothing below would mean anything
  }

  void Run() {
    while (!input_.empty()) {
      Act(input_.Take<std::uint8_t>());
      Round();
    }
    now_ += std::chrono::minutes(5);  // everything has an end
    Round();
    Round();
    BATON_CHECK(inbound_.settled());
  }

 private:
  HelloMessage Hello() const {
    HelloMessage hello;
    hello.nonce = 3;
    hello.worker_id = "p0";
    hello.incarnation = kThere;
    hello.expected_incarnation = kHere;
    hello.transfer_address = "there";
    hello.fields = FieldsOf(SmallLayout());
    hello.fingerprint = FingerprintOf(hello.fields);
    hello.frame_bytes_max = kFrameBytesMax;
    return hello;
  }
  static OfferMessage Offer() {
    OfferMessage offer;
    offer.handoff = kHandoff;
    offer.id = kAttempt;
    offer.prompt_tokens = kPromptTokens;
    return offer;
  }
  HandoffHeader Numbered() { return {session_, sequence_++, frames_}; }

  void Act(std::uint8_t what) {
    switch (what % 8) {
      case 0:
        return SendRaw(input_.Bytes(input_.Take<std::uint8_t>()));
      case 1:
        now_ += Milliseconds(input_.Take<std::uint16_t>());
        return;
      case 2:
      case 3:
      case 4:
        return SendFrame();
      case 5:
        return Replay();
      default: {
        HandoffHeader header{static_cast<SessionId>(input_.Near(Index(session_))),
                             input_.Near(sequence_), input_.Near(frames_)};
        if (header.session == session_ && header.sequence == sequence_) ++sequence_;
        return Send(header, AnyMessage());
      }
    }
  }

  HandoffMessage AnyMessage() {
    switch (input_.Take<std::uint8_t>() % 8) {
      case 0: {
        HelloMessage hello = Hello();
        hello.nonce = input_.Near(hello.nonce);
        hello.incarnation = Incarnation{input_.Near(Index(kThere))};
        hello.expected_incarnation = Incarnation{input_.Near(Index(kHere))};
        hello.frame_bytes_max = input_.Near(hello.frame_bytes_max);
        return hello;
      }
      case 1: {
        OfferMessage offer = Offer();
        offer.handoff = HandoffId{input_.Near(Index(kHandoff))};
        offer.id.attempt = input_.Near(offer.id.attempt);
        offer.prompt_tokens = input_.Near(offer.prompt_tokens);
        return offer;
      }
      case 2: {
        RenewMessage renew;
        renew.renew = input_.Take<std::uint32_t>();
        for (int n = input_.Take<std::uint8_t>() % 4; n > 0; --n) {
          renew.leases.push_back(LeaseId{input_.Near(Index(lease_))});
        }
        return renew;
      }
      case 3:
        return AbortMessage{
            HandoffId{input_.Near(Index(kHandoff))},
            input_.Near(kAttempt.attempt),
            LeaseId{input_.Near(Index(lease_))},
            static_cast<HandoffReason>(input_.Take<std::uint8_t>() % kHandoffReasons),
            input_.Take<std::uint8_t>() % 2 == 1,
            input_.Take<std::uint32_t>()};
      case 4:
        return AbortAckMessage{LeaseId{input_.Near(Index(lease_))}};
      case 5:
        return ByeMessage{};
      case 6:
        return GrantMessage{};  // of the wrong end
      default:
        return CommitMessage{
            LeaseId{input_.Near(Index(lease_))}, HandoffId{input_.Near(Index(kHandoff))},
            input_.Near(kAttempt.attempt),       input_.Near<std::uint32_t>(2),
            input_.Near(kPromptTokens),          input_.Near(bytes_),
            input_.Take<std::uint64_t>(),        input_.Take<std::int32_t>()};
    }
  }

  void SendFrame() {
    static const std::vector<std::byte> payload(kFrameBytesMax, std::byte{0x11});
    const auto right = static_cast<std::uint32_t>(SmallLayout().LayerBytes());
    FrameWrite frame;
    frame.source = payload.data();
    frame.header.session = static_cast<SessionId>(input_.Near(Index(session_)));
    frame.header.lease = LeaseId{input_.Near(Index(lease_))};
    frame.header.page = input_.Near<std::uint32_t>(input_.Take<std::uint8_t>() % 2);
    frame.header.piece = input_.Near<std::uint16_t>(input_.Take<std::uint8_t>() % 2);
    frame.header.pieces = input_.Near<std::uint16_t>(2);
    frame.header.bytes = std::clamp<std::uint32_t>(input_.Near(right), 1, kFrameBytesMax);
    frame.header.crc32c = input_.Near(Crc32c(frame.source, frame.header.bytes));
    if (!there_.Write(peer_, {&frame, 1}, 1).ok()) return;
    ++frames_;
    bytes_ += frame.header.bytes;
  }

  void Replay() {
    if (sent_.empty()) return;
    SendRaw(sent_[input_.Take<std::uint8_t>() % sent_.size()]);
  }

  void Send(const HandoffHeader& header, const HandoffMessage& message) {
    const auto bytes = EncodeMessage(header, message);
    if (bytes.ok()) SendRaw(*bytes);
    Round();
  }
  void SendRaw(std::string bytes) {
    if (bytes.empty() || !there_.Send(peer_, bytes).ok()) return;
    if (sent_.size() < 32) sent_.push_back(std::move(bytes));
  }

  void Round() {
    const bool lent = lent_;  // what lands before a lease closes may do so in the same round
    inbound_.Tick(now_);
    if (lent) std::memcpy(copy_.data(), arena_->base(), copy_.size());
    for (const InboundEvent& event : inbound_.TakeEvents()) {
      if (std::holds_alternative<LeaseClosed>(event)) lent_ = false;
    }
    std::vector<TransportEvent> heard;
    there_.Poll(heard);
    for (const TransportEvent& event : heard) Hear(event);
    CheckPages();
  }

  void Hear(const TransportEvent& event) {
    const auto* message = std::get_if<MessageReceived>(&event);
    if (message == nullptr) return;
    const auto decoded = DecodeMessage(message->payload);
    BATON_CHECK(decoded.ok());
    if (std::holds_alternative<HelloAckMessage>(decoded->message) && Index(session_) == 0) {
      session_ = decoded->header.session;
    }
    if (const auto* grant = std::get_if<GrantMessage>(&decoded->message)) lease_ = grant->lease;
  }

  /// Pages 5 and 2 may change while they are lent; the others never.
  void CheckPages() {
    BATON_CHECK(std::memcmp(copy_.data(), arena_->base(), copy_.size()) == 0);
    for (std::uint32_t i = 0; i < kPages; ++i) {
      if (i == 5 || i == 2) continue;
      for (const std::byte byte : arena_->Page(PageId{i})) BATON_CHECK(byte == std::byte{kPoison});
    }
  }

  Input input_;
  Instant now_{std::chrono::hours(1)};
  LoopbackFabric fabric_;
  std::unique_ptr<KvArena> arena_ = *KvArena::Create(SmallLayout(), kPages);
  std::vector<std::byte> copy_ = std::vector<std::byte>(kPages * SmallLayout().PageBytes());
  bool lent_ = true;
  LoopbackTransport here_{fabric_, "here"};
  LoopbackTransport there_{fabric_, "there"};
  const PeerId peer_ = *there_.Connect("here");
  InboundTransfers inbound_{LocalWorker{"d0", kHere, FieldsOf(SmallLayout())}, *arena_, here_, 5};
  SessionId session_{};
  LeaseId lease_{};
  std::uint32_t sequence_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<std::string> sent_;
};

}  // namespace
}  // namespace baton

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  baton::World(baton::Input(data, size)).Run();
  return 0;
}
