#include "kvtransfer/outbound_session.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace baton {
namespace {

// Offers and Renews of some seconds; an answer to an older one is too old to allow anything.
constexpr std::size_t kSentNumbersMax = 4096;
constexpr std::uint64_t kWindowBytesFirst = 16 << 20;  // until the rate is known
constexpr double kRateMemorySeconds = 1;
constexpr std::uint32_t kPeerTimeMsMax = 3'600'000;

}  // namespace

void OutboundSession::Connecting(SessionPipe pipe, std::uint64_t nonce, Instant now) {
  state_ = OutboundSessionState::kConnecting;
  pipe_.emplace(std::move(pipe));
  nonce_ = nonce;
  hello_until_ = now + limits_.hello_wait;
}

std::string OutboundSession::Misfit(const HelloAckMessage& ack, std::uint64_t page_bytes) const {
  if (ack.incarnation != peer_.incarnation) return "incarnation: not the one the router named";
  if (ack.arenas.empty()) return "arenas: none";
  const PiecePlan plan{ack.arenas[0].page_bytes, ack.arenas[0].piece_bytes};
  if (plan.page_bytes != page_bytes) {
    return absl::StrFormat("page_bytes: mine %d, yours %d", page_bytes, plan.page_bytes);
  }
  if (!plan.valid() || plan.piece_bytes > kFrameBytesMax) return "piece_bytes: not sendable";
  const bool times_fit = ack.ttl_ms > 0 && ack.ttl_ms <= kPeerTimeMsMax && ack.renew_ms > 0 &&
                         ack.renew_ms < ack.ttl_ms &&
                         Milliseconds(ack.ttl_ms) > limits_.post_margin;
  return times_fit ? "" : "ttl_ms: leaves no time to post";
}

void OutboundSession::Opened(SessionId session, const HelloAckMessage& ack) {
  state_ = OutboundSessionState::kOpen;
  pipe_->Open(session, /*arrived=*/1);
  plan_ = {ack.arenas[0].page_bytes, ack.arenas[0].piece_bytes};
  ttl_ = Milliseconds(ack.ttl_ms);
  renew_every_ = Milliseconds(ack.renew_ms);
  window_bytes_max_ = std::min(ack.window_bytes, limits_.window_bytes_max);
  window_bytes_ = std::min(kWindowBytesFirst, window_bytes_max_);
  measured_bytes_ = 0;
  measured_seconds_ = 0;
  backoff_ = Duration{};
  posted_bytes_ = 0;
  written_bytes_ = 0;
  credited_bytes_ = 0;
  sent_.clear();
  answered_ = next_number_ - 1;
}

void OutboundSession::Lost(double jitter, Instant now) {
  state_ = OutboundSessionState::kIdle;
  pipe_.reset();
  broken_ = false;
  backoff_ = std::clamp(2 * backoff_, limits_.reconnect_min, limits_.reconnect_max);
  // half fixed, half drawn: peers of one lost worker do not come back at once
  connect_at_ =
      now + backoff_ / 2 +
      Duration(static_cast<std::int64_t>(jitter * static_cast<double>(backoff_.count()) / 2));
}

std::uint32_t OutboundSession::Numbered(Instant now) {
  if (sent_.size() == kSentNumbersMax) sent_.pop_front();
  sent_.push_back({next_number_, now});
  return next_number_++;
}

std::optional<Instant> OutboundSession::PostUntil(std::uint32_t renew) const {
  const auto found = std::lower_bound(
      sent_.begin(), sent_.end(), renew,
      [](const SentNumber& sent, std::uint32_t number) { return sent.number < number; });
  if (found == sent_.end() || found->number != renew) return std::nullopt;
  return found->at + ttl_ - limits_.post_margin;
}

void OutboundSession::Answered(std::uint32_t renew) {
  if (renew < next_number_) answered_ = std::max(answered_, renew);
}

Instant OutboundSession::silence_due() const {
  const auto oldest = std::upper_bound(
      sent_.begin(), sent_.end(), answered_,
      [](std::uint32_t number, const SentNumber& sent) { return number < sent.number; });
  return oldest == sent_.end() ? kNever : oldest->at + ttl_;
}

void OutboundSession::CountPosted(std::uint64_t frames, std::uint64_t bytes, Instant now) {
  if (in_window() == 0) busy_since_ = now;
  pipe_->CountFrames(frames);
  posted_bytes_ += bytes;
}

bool OutboundSession::RateIsKnown() const {
  return measured_bytes_ >= static_cast<double>(limits_.window_bytes_min) && measured_seconds_ > 0;
}

std::optional<Duration> OutboundSession::WireTime(std::uint64_t bytes) const {
  if (!RateIsKnown()) return std::nullopt;
  const std::chrono::duration<double> time(static_cast<double>(bytes) * measured_seconds_ /
                                           measured_bytes_);
  return std::chrono::duration_cast<Duration>(time);
}

void OutboundSession::Credited(std::uint64_t consumed, Instant now) {
  if (consumed > posted_bytes_ || consumed <= credited_bytes_) return;
  measured_bytes_ += static_cast<double>(consumed - credited_bytes_);
  measured_seconds_ += ToSeconds(now - busy_since_);
  credited_bytes_ = consumed;
  busy_since_ = now;
  if (!RateIsKnown()) return;
  const double wanted = measured_bytes_ / measured_seconds_ * ToSeconds(limits_.window);
  const double bound = std::min(wanted, static_cast<double>(window_bytes_max_));
  window_bytes_ = std::max(std::min(limits_.window_bytes_min, window_bytes_max_),
                           static_cast<std::uint64_t>(bound));
  if (measured_seconds_ < kRateMemorySeconds) return;
  measured_bytes_ /= 2;
  measured_seconds_ /= 2;
}

}  // namespace baton
