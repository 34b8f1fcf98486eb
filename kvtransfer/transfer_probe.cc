#include "kvtransfer/transfer_probe.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status.h"
#include "kvtransfer/copy_crc.h"
#include "kvtransfer/transport_wait.h"

namespace baton {
namespace {

constexpr char kHello = 'H', kWelcome = 'W', kDone = 'D', kGot = 'G', kBack = 'B', kPing = 'P',
               kPong = 'p', kQuit = 'Q';
// Pages on their way: what was checksummed should still be in the cache when the socket takes it.
constexpr std::uint64_t kWritesOpenMax = 6;
constexpr Duration kNapMax = Milliseconds(20);
constexpr Duration kQuitTimeMax = Milliseconds(500);

Instant Now() { return std::chrono::steady_clock::now(); }

/// The word at `index` of the pattern: every page and every seed differs in every word.
std::uint64_t PatternWord(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t x = (seed + 1) * 0x9E3779B97F4A7C15 + index * 0xBF58476D1CE4E5B9;
  x ^= x >> 31;
  return x * 0x94D049BB133111EB;
}

/// Pages of so many bytes, whatever they hold.
KvLayout LayoutOf(const ProbeShape& shape) {
  KvLayout layout;
  layout.num_layers = 1;
  layout.tokens_per_page = 1;
  layout.latent_dim = static_cast<int>(shape.page_bytes / BytesOf(layout.dtype));
  return layout;
}

/// What both sides say: the kind, the number of the conversation, the rest.
std::string Message(char kind, std::uint64_t talk, absl::string_view body) {
  const absl::string_view number(reinterpret_cast<const char*>(&talk), sizeof(talk));
  return absl::StrCat(absl::string_view(&kind, 1), number, body);
}

}  // namespace

TransferProbe::TransferProbe(Transport& transport, const ProbeShape& shape)
    : transport_(transport), shape_(shape) {
  BATON_CHECK(shape.page_bytes % 8 == 0 && shape.frame_bytes > 0 &&
              shape.frame_bytes <= kFrameBytesMax);
  absl::StatusOr<std::unique_ptr<KvArena>> arena = KvArena::Create(LayoutOf(shape), shape.pages);
  if (arena.ok()) {
    arena_ = *std::move(arena);
  } else {
    broken_ = arena.status();
  }
  batch_.resize(frames_per_page());
  transport_.SetSink(this);
}

TransferProbe::~TransferProbe() {
  transport_.SetSink(nullptr);
  if (!peer_.has_value()) return;
  transport_.Close(*peer_);
  events_.clear();
  transport_.Poll(events_);  // its last reports are nobody else's
}

std::uint32_t TransferProbe::frames_per_page() const {
  return (shape_.page_bytes + shape_.frame_bytes - 1) / shape_.frame_bytes;
}

void TransferProbe::Fill(std::uint64_t seed) {
  if (arena_ == nullptr) return;
  const std::uint64_t words = std::uint64_t{shape_.pages} * shape_.page_bytes / 8;
  for (std::uint64_t i = 0; i < words; ++i) {
    const std::uint64_t word = PatternWord(seed, i);
    std::memcpy(arena_->base() + 8 * i, &word, sizeof(word));
  }
}

void TransferProbe::Poison() {
  if (arena_ == nullptr) return;
  std::memset(arena_->base(), 0xFF, std::size_t{shape_.pages} * shape_.page_bytes);
}

std::uint32_t TransferProbe::WrongPages(std::uint64_t seed) const {
  const std::uint64_t words = shape_.page_bytes / 8;
  if (arena_ == nullptr) return shape_.pages;
  std::uint32_t wrong = 0;
  for (std::uint64_t page = 0; page < shape_.pages; ++page) {
    bool equal = true;
    for (std::uint64_t i = page * words; equal && i < (page + 1) * words; ++i) {
      const std::uint64_t word = PatternWord(seed, i);
      equal = std::memcmp(arena_->base() + 8 * i, &word, sizeof(word)) == 0;
    }
    if (!equal) ++wrong;
  }
  return wrong;
}

std::byte* TransferProbe::Admit(const FrameHeader& header) {
  const std::uint64_t offset = std::uint64_t{header.piece} * shape_.frame_bytes;
  const bool known =
      arena_ != nullptr && header.page < shape_.pages && header.pieces == frames_per_page();
  if (!known || offset + header.bytes > shape_.page_bytes) {
    ++damaged_;
    return nullptr;
  }
  return arena_->base() + std::size_t{header.page} * shape_.page_bytes + offset;
}

void TransferProbe::Landed(const FrameHeader&, bool checksum_agrees) {
  ++landed_;
  if (!checksum_agrees) ++damaged_;
}

std::string TransferProbe::HelloMessage(std::uint64_t talk, absl::string_view address) {
  return Message(kHello, talk, address);
}

absl::Status TransferProbe::Say(char kind, absl::string_view body) {
  if (!peer_.has_value()) return absl::FailedPreconditionError("no peer is connected");
  return transport_.Send(*peer_, Message(kind, talk_, body));
}

void TransferProbe::Hear(const std::string& payload) {
  std::uint64_t talk = 0;
  if (payload.size() < 1 + sizeof(talk)) return;
  std::memcpy(&talk, payload.data() + 1, sizeof(talk));
  if (payload[0] == kHello && !peer_.has_value()) talk_ = talk;
  if (talk == talk_) inbox_.push_back(payload.substr(0, 1) + payload.substr(1 + sizeof(talk)));
}

/// One poll, and a nap when nothing came of it.
absl::Status TransferProbe::Step(Instant deadline) {
  BATON_RETURN_IF_ERROR(broken_);
  events_.clear();
  const std::uint64_t landed = landed_;
  transport_.Poll(events_);
  for (TransportEvent& event : events_) {
    if (auto* message = std::get_if<MessageReceived>(&event)) {
      Hear(message->payload);
    } else if (const auto* done = std::get_if<WriteDone>(&event)) {
      --writes_open_;
      if (!done->status.ok()) broken_ = done->status;
    } else if (const auto& lost = std::get<PeerLost>(event); lost.peer == peer_) {
      broken_ = lost.reason;
    }
  }
  const Instant now = Now();
  if (!events_.empty() || landed_ != landed) {
    idle_since_ = now;
  } else if (now >= deadline) {
    return absl::DeadlineExceededError("the peer did not answer in time");
  } else if (now - idle_since_ >= shape_.spin) {
    WaitForWork(transport_, std::min<Duration>(kNapMax, deadline - now));
  }
  return broken_;
}

absl::StatusOr<std::string> TransferProbe::Await(char kind, Instant deadline) {
  while (inbox_.empty()) BATON_RETURN_IF_ERROR(Step(deadline));
  std::string message = std::move(inbox_.front());
  inbox_.erase(inbox_.begin());
  if (message.empty() || message[0] != kind) {
    return absl::DataLossError("the peer said something else than the next step");
  }
  return message.substr(1);
}

absl::Status TransferProbe::Open(absl::string_view address, Instant deadline) {
  BATON_RETURN_IF_ERROR(broken_);
  PeerId peer{};
  BATON_ASSIGN_OR_RETURN(peer, transport_.Connect(address));
  peer_ = peer;
  talk_ = static_cast<std::uint64_t>(Now().time_since_epoch().count());
  BATON_RETURN_IF_ERROR(Say(kHello, transport_.address()));
  return Await(kWelcome, deadline).status();
}

absl::Status TransferProbe::PostPage(std::uint32_t page) {
  const std::uint32_t frames = frames_per_page();
  for (std::uint32_t piece = 0; piece < frames; ++piece) {
    FrameWrite& frame = batch_[piece];
    const std::uint32_t offset = piece * shape_.frame_bytes;
    frame.source = arena_->base() + std::size_t{page} * shape_.page_bytes + offset;
    frame.header.session = static_cast<SessionId>(1);
    frame.header.page = page;
    frame.header.piece = static_cast<std::uint16_t>(piece);
    frame.header.pieces = static_cast<std::uint16_t>(frames);
    frame.header.bytes = std::min(shape_.frame_bytes, shape_.page_bytes - offset);
    frame.header.crc32c = Crc32c(frame.source, frame.header.bytes);
  }
  BATON_RETURN_IF_ERROR(transport_.Write(*peer_, batch_, page));
  ++writes_open_;
  return absl::OkStatus();
}

absl::Status TransferProbe::PostPages(const std::vector<std::uint32_t>& order, Instant deadline) {
  for (const std::uint32_t page : order) {
    while (writes_open_ >= kWritesOpenMax) BATON_RETURN_IF_ERROR(Step(deadline));
    BATON_RETURN_IF_ERROR(PostPage(page));
  }
  return Say(kDone, absl::StrCat(order.size() * frames_per_page()));
}

absl::Status TransferProbe::CheckLanded(std::uint64_t frames) const {
  if (damaged_ == 0 && landed_ == frames) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrFormat("%u of %u frames landed, %u of them damaged", landed_, frames, damaged_));
}

absl::Status TransferProbe::Push(const std::vector<std::uint32_t>& order, Instant deadline) {
  if (!peer_.has_value()) return absl::FailedPreconditionError("no peer is connected");
  BATON_RETURN_IF_ERROR(PostPages(order, deadline));
  std::string got;
  BATON_ASSIGN_OR_RETURN(got, Await(kGot, deadline));
  while (writes_open_ > 0) BATON_RETURN_IF_ERROR(Step(deadline));
  if (got == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the peer says: ", got));
}

absl::Status TransferProbe::Pull(Instant deadline) {
  landed_ = 0;
  BATON_RETURN_IF_ERROR(Say(kBack));
  BATON_RETURN_IF_ERROR(Await(kDone, deadline).status());
  return CheckLanded(std::uint64_t{shape_.pages} * frames_per_page());
}

absl::StatusOr<Duration> TransferProbe::RoundTrip(Instant deadline) {
  const Instant start = Now();
  BATON_RETURN_IF_ERROR(Say(kPing));
  BATON_RETURN_IF_ERROR(Await(kPong, deadline).status());
  return Now() - start;
}

absl::Status TransferProbe::Quit() {
  BATON_RETURN_IF_ERROR(Say(kQuit));
  return Await(kQuit, Now() + kQuitTimeMax).status();
}

absl::Status TransferProbe::Serve(std::stop_token stop, Instant deadline) {
  while (!stop.stop_requested()) {
    if (inbox_.empty()) {
      BATON_RETURN_IF_ERROR(Step(deadline));
      continue;
    }
    const std::string message = std::move(inbox_.front());
    inbox_.erase(inbox_.begin());
    if (!message.empty() && message[0] == kQuit) return Leave();
    BATON_RETURN_IF_ERROR(Answer(message, deadline));
  }
  return absl::OkStatus();
}

/// To close at once would drop the answer: it stays until the driver has left.
absl::Status TransferProbe::Leave() {
  BATON_RETURN_IF_ERROR(Say(kQuit));
  const Instant end = Now() + kQuitTimeMax;
  while (Now() < end && Step(end).ok()) {
  }
  return absl::OkStatus();
}

absl::Status TransferProbe::Answer(const std::string& message, Instant deadline) {
  const char kind = message.empty() ? '\0' : message[0];
  if (kind == kHello && !peer_.has_value()) {
    PeerId peer{};
    BATON_ASSIGN_OR_RETURN(peer, transport_.Connect(absl::string_view(message).substr(1)));
    peer_ = peer;
    return Say(kWelcome);
  }
  if (kind == kPing) return Say(kPong);
  if (kind == kDone) {
    std::uint64_t frames = 0;
    if (!absl::SimpleAtoi(absl::string_view(message).substr(1), &frames)) {
      return absl::DataLossError("a count is damaged");
    }
    const absl::Status landed = CheckLanded(frames);
    landed_ = 0;
    return Say(kGot, landed.ok() ? "ok" : landed.message());
  }
  if (kind == kBack) {
    std::vector<std::uint32_t> order(shape_.pages);
    std::iota(order.begin(), order.end(), 0);
    return PostPages(order, deadline);
  }
  return absl::DataLossError("the driver said something that is no step");
}

PeerDescription TransferProbe::Describe() const {
  return peer_.has_value() ? transport_.Describe(*peer_) : PeerDescription{"", "unknown"};
}

}  // namespace baton
