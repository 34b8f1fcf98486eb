#include "kvtransfer/handoff_wire.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "proto/handoff.pb.h"

namespace baton {
namespace {

static_assert(kMessageBytesMax == kHandoffHeaderBytes + 8 * 1024);

// --- little-endian integers at fixed places of the header

template <typename T>
void PutLittle(std::string& bytes, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[at + i] = static_cast<char>(value >> (8 * i));
  }
}

template <typename T>
T GetLittle(absl::string_view bytes, std::size_t at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(static_cast<unsigned char>(bytes[at + i]))
                                       << (8 * i));
  }
  return value;
}

absl::Status Beyond(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrFormat("hand-off message: %s beyond its limit", what));
}

template <typename Octets>
std::string ToBytes(const Octets& octets) {
  return std::string(octets.begin(), octets.end());
}

absl::Status FromBytes(const std::string& bytes, std::array<std::uint8_t, 16>& out) {
  if (bytes.size() != out.size()) return Beyond("a 16-byte field");
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return absl::OkStatus();
}

absl::Status FromNumber(std::uint32_t number, HandoffReason& out) {
  if (number >= kHandoffReasons) return Beyond("a reason");
  out = static_cast<HandoffReason>(number);
  return absl::OkStatus();
}

// --- one pair of functions a message, each other's inverse

void ToProto(const HelloMessage& in, handoff::Hello* out) {
  out->set_nonce(in.nonce);
  out->set_introduction(ToBytes(in.introduction));
  out->set_worker_id(in.worker_id);
  out->set_incarnation(Index(in.incarnation));
  out->set_expected_incarnation(Index(in.expected_incarnation));
  out->set_transfer_address(in.transfer_address);
  out->set_fingerprint(ToBytes(in.fingerprint));
  for (const auto& [name, value] : in.fields) {
    handoff::Field* field = out->add_fields();
    field->set_name(name);
    field->set_value(value);
  }
  out->set_frame_bytes_max(in.frame_bytes_max);
}

absl::Status FromProto(const handoff::Hello& in, HelloMessage& out) {
  if (in.worker_id().size() > kWorkerIdBytesMax) return Beyond("worker_id");
  if (in.transfer_address().size() > kAddressBytesMax) return Beyond("transfer_address");
  out.nonce = in.nonce();
  BATON_RETURN_IF_ERROR(FromBytes(in.introduction(), out.introduction));
  out.worker_id = in.worker_id();
  out.incarnation = Incarnation{in.incarnation()};
  out.expected_incarnation = Incarnation{in.expected_incarnation()};
  out.transfer_address = in.transfer_address();
  BATON_RETURN_IF_ERROR(FromBytes(in.fingerprint(), out.fingerprint));
  for (const handoff::Field& field : in.fields()) {
    out.fields.emplace_back(field.name(), field.value());
  }
  out.frame_bytes_max = in.frame_bytes_max();
  return absl::OkStatus();
}

void ToProto(const HelloAckMessage& in, handoff::HelloAck* out) {
  out->set_nonce(in.nonce);
  out->set_incarnation(Index(in.incarnation));
  for (const ArenaFacts& facts : in.arenas) {
    handoff::Arena* arena = out->add_arenas();
    arena->set_id(facts.id);
    arena->set_page_bytes(facts.page_bytes);
    arena->set_num_pages(facts.num_pages);
    arena->set_piece_bytes(facts.piece_bytes);
  }
  out->set_window_bytes(in.window_bytes);
  out->set_ttl_ms(in.ttl_ms);
  out->set_renew_ms(in.renew_ms);
  if (!in.refused) return;
  handoff::Refusal* refusal = out->mutable_refusal();
  refusal->set_reason(static_cast<std::uint32_t>(in.refusal.reason));
  refusal->set_field(in.refusal.field);
  refusal->set_mine(in.refusal.mine);
  refusal->set_yours(in.refusal.yours);
}

absl::Status FromProto(const handoff::HelloAck& in, HelloAckMessage& out) {
  out.nonce = in.nonce();
  out.incarnation = Incarnation{in.incarnation()};
  for (const handoff::Arena& arena : in.arenas()) {
    out.arenas.push_back({arena.id(), arena.page_bytes(), arena.num_pages(), arena.piece_bytes()});
  }
  out.window_bytes = in.window_bytes();
  out.ttl_ms = in.ttl_ms();
  out.renew_ms = in.renew_ms();
  out.refused = in.has_refusal();
  if (!out.refused) return absl::OkStatus();
  out.refusal.field = in.refusal().field();
  out.refusal.mine = in.refusal().mine();
  out.refusal.yours = in.refusal().yours();
  return FromNumber(in.refusal().reason(), out.refusal.reason);
}

void ToProto(const OfferMessage& in, handoff::Offer* out) {
  out->set_handoff(Index(in.handoff));
  out->set_request_high(in.id.request.high);
  out->set_request_low(in.id.request.low);
  out->set_attempt(in.id.attempt);
  out->set_prompt_tokens(in.prompt_tokens);
  out->set_prompt_key_high(in.prompt_key.high);
  out->set_prompt_key_low(in.prompt_key.low);
  out->set_first_page_in_ms(in.first_page_in_ms);
  out->set_renew(in.renew);
}

absl::Status FromProto(const handoff::Offer& in, OfferMessage& out) {
  out.handoff = HandoffId{in.handoff()};
  out.id = {{in.request_high(), in.request_low()}, in.attempt()};
  out.prompt_tokens = in.prompt_tokens();
  out.prompt_key = {in.prompt_key_high(), in.prompt_key_low()};
  out.first_page_in_ms = in.first_page_in_ms();
  out.renew = in.renew();
  return absl::OkStatus();
}

void ToProto(const GrantMessage& in, handoff::Grant* out) {
  out->set_handoff(Index(in.handoff));
  out->set_attempt(in.attempt);
  out->set_lease(Index(in.lease));
  out->set_number(in.number);
  out->set_first_page(in.first_page);
  for (const PageRun& run : in.runs) {
    handoff::PageRun* page_run = out->add_runs();
    page_run->set_arena(run.arena);
    page_run->set_page(run.page);
    page_run->set_count(run.count);
  }
  out->set_final(in.final);
  out->set_renew_seen(in.renew_seen);
  out->set_ttl_ms(in.ttl_ms);
}

absl::Status FromProto(const handoff::Grant& in, GrantMessage& out) {
  if (static_cast<std::size_t>(in.runs_size()) > kGrantRunsMax) return Beyond("runs");
  out.handoff = HandoffId{in.handoff()};
  out.attempt = in.attempt();
  out.lease = LeaseId{in.lease()};
  out.number = in.number();
  out.first_page = in.first_page();
  for (const handoff::PageRun& run : in.runs()) {
    out.runs.push_back({run.arena(), run.page(), run.count()});
  }
  out.final = in.final();
  out.renew_seen = in.renew_seen();
  out.ttl_ms = in.ttl_ms();
  return absl::OkStatus();
}

void ToProto(const RenewMessage& in, handoff::Renew* out) {
  out->set_renew(in.renew);
  for (const LeaseId lease : in.leases) out->add_leases(Index(lease));
}

absl::Status FromProto(const handoff::Renew& in, RenewMessage& out) {
  if (static_cast<std::size_t>(in.leases_size()) > kRenewLeasesMax) return Beyond("leases");
  out.renew = in.renew();
  for (const std::uint64_t lease : in.leases()) out.leases.push_back(LeaseId{lease});
  return absl::OkStatus();
}

void ToProto(const RenewAckMessage& in, handoff::RenewAck* out) {
  out->set_renew(in.renew);
  for (const LeaseId lease : in.unknown) out->add_unknown(Index(lease));
  out->set_consumed_bytes(in.consumed_bytes);
}

absl::Status FromProto(const handoff::RenewAck& in, RenewAckMessage& out) {
  if (static_cast<std::size_t>(in.unknown_size()) > kRenewLeasesMax) return Beyond("unknown");
  out.renew = in.renew();
  for (const std::uint64_t lease : in.unknown()) out.unknown.push_back(LeaseId{lease});
  out.consumed_bytes = in.consumed_bytes();
  return absl::OkStatus();
}

void ToProto(const CreditMessage& in, handoff::Credit* out) {
  out->set_consumed_bytes(in.consumed_bytes);
}

absl::Status FromProto(const handoff::Credit& in, CreditMessage& out) {
  out.consumed_bytes = in.consumed_bytes();
  return absl::OkStatus();
}

void ToProto(const CommitMessage& in, handoff::Commit* out) {
  out->set_lease(Index(in.lease));
  out->set_handoff(Index(in.handoff));
  out->set_attempt(in.attempt);
  out->set_pages(in.pages);
  out->set_tokens(in.tokens);
  out->set_bytes(in.bytes);
  out->set_digest(in.digest);
  out->set_first_token(in.first_token);
}

absl::Status FromProto(const handoff::Commit& in, CommitMessage& out) {
  out = {LeaseId{in.lease()}, HandoffId{in.handoff()},
         in.attempt(),        in.pages(),
         in.tokens(),         in.bytes(),
         in.digest(),         in.first_token()};
  return absl::OkStatus();
}

void ToProto(const CommitAckMessage& in, handoff::CommitAck* out) {
  out->set_lease(Index(in.lease));
  out->set_ok(in.ok);
  out->set_reason(static_cast<std::uint32_t>(in.reason));
}

absl::Status FromProto(const handoff::CommitAck& in, CommitAckMessage& out) {
  out.lease = LeaseId{in.lease()};
  out.ok = in.ok();
  return FromNumber(in.reason(), out.reason);
}

void ToProto(const AbortMessage& in, handoff::Abort* out) {
  out->set_handoff(Index(in.handoff));
  out->set_attempt(in.attempt);
  out->set_lease(Index(in.lease));
  out->set_reason(static_cast<std::uint32_t>(in.reason));
  out->set_drained(in.drained);
  out->set_retry_after_ms(in.retry_after_ms);
}

absl::Status FromProto(const handoff::Abort& in, AbortMessage& out) {
  out.handoff = HandoffId{in.handoff()};
  out.attempt = in.attempt();
  out.lease = LeaseId{in.lease()};
  out.drained = in.drained();
  out.retry_after_ms = in.retry_after_ms();
  return FromNumber(in.reason(), out.reason);
}

void ToProto(const AbortAckMessage& in, handoff::AbortAck* out) { out->set_lease(Index(in.lease)); }

absl::Status FromProto(const handoff::AbortAck& in, AbortAckMessage& out) {
  out.lease = LeaseId{in.lease()};
  return absl::OkStatus();
}

void ToProto(const ByeMessage& in, handoff::Bye* out) {
  out->set_reason(static_cast<std::uint32_t>(in.reason));
}

absl::Status FromProto(const handoff::Bye& in, ByeMessage& out) {
  return FromNumber(in.reason(), out.reason);
}

// --- the types by number

template <typename Message>
struct BodyOf;
template <>
struct BodyOf<HelloMessage> : std::type_identity<handoff::Hello> {};
template <>
struct BodyOf<HelloAckMessage> : std::type_identity<handoff::HelloAck> {};
template <>
struct BodyOf<OfferMessage> : std::type_identity<handoff::Offer> {};
template <>
struct BodyOf<GrantMessage> : std::type_identity<handoff::Grant> {};
template <>
struct BodyOf<RenewMessage> : std::type_identity<handoff::Renew> {};
template <>
struct BodyOf<RenewAckMessage> : std::type_identity<handoff::RenewAck> {};
template <>
struct BodyOf<CreditMessage> : std::type_identity<handoff::Credit> {};
template <>
struct BodyOf<CommitMessage> : std::type_identity<handoff::Commit> {};
template <>
struct BodyOf<CommitAckMessage> : std::type_identity<handoff::CommitAck> {};
template <>
struct BodyOf<AbortMessage> : std::type_identity<handoff::Abort> {};
template <>
struct BodyOf<AbortAckMessage> : std::type_identity<handoff::AbortAck> {};
template <>
struct BodyOf<ByeMessage> : std::type_identity<handoff::Bye> {};

template <typename Message>
absl::StatusOr<HandoffMessage> DecodeBody(absl::string_view bytes) {
  typename BodyOf<Message>::type body;
  if (!body.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError("hand-off message: the body does not parse");
  }
  Message message;
  BATON_RETURN_IF_ERROR(FromProto(body, message));
  return HandoffMessage(std::move(message));
}

using BodyDecoder = absl::StatusOr<HandoffMessage> (*)(absl::string_view);

template <std::size_t... I>
constexpr std::array<BodyDecoder, sizeof...(I)> DecodersOf(std::index_sequence<I...>) {
  return {&DecodeBody<std::variant_alternative_t<I, HandoffMessage>>...};
}

constexpr auto kDecoders =
    DecodersOf(std::make_index_sequence<std::variant_size_v<HandoffMessage>>());

absl::Status CheckLimits(const HandoffMessage& message) {
  if (const auto* grant = std::get_if<GrantMessage>(&message);
      grant != nullptr && grant->runs.size() > kGrantRunsMax) {
    return Beyond("runs");
  }
  if (const auto* renew = std::get_if<RenewMessage>(&message);
      renew != nullptr && renew->leases.size() > kRenewLeasesMax) {
    return Beyond("leases");
  }
  if (const auto* hello = std::get_if<HelloMessage>(&message);
      hello != nullptr && hello->worker_id.size() > kWorkerIdBytesMax) {
    return Beyond("worker_id");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> EncodeMessage(const HandoffHeader& header,
                                          const HandoffMessage& message) {
  BATON_RETURN_IF_ERROR(CheckLimits(message));
  std::string bytes(kHandoffHeaderBytes, '\0');
  std::visit(
      [&bytes](const auto& value) {
        typename BodyOf<std::decay_t<decltype(value)>>::type body;
        ToProto(value, &body);
        body.AppendToString(&bytes);
      },
      message);
  if (bytes.size() > kMessageBytesMax) return Beyond("body");
  PutLittle<std::uint16_t>(bytes, 0, kHandoffWireVersion);
  PutLittle<std::uint16_t>(bytes, 2, static_cast<std::uint16_t>(message.index() + 1));
  PutLittle<std::uint32_t>(bytes, 4,
                           static_cast<std::uint32_t>(bytes.size() - kHandoffHeaderBytes));
  PutLittle<std::uint64_t>(bytes, 8, Index(header.session));
  PutLittle<std::uint32_t>(bytes, 16, header.sequence);
  PutLittle<std::uint64_t>(bytes, 24, header.frames_before);
  return bytes;
}

absl::StatusOr<DecodedMessage> DecodeMessage(absl::string_view bytes) {
  if (bytes.size() < kHandoffHeaderBytes || bytes.size() > kMessageBytesMax) {
    return absl::InvalidArgumentError("hand-off message: too short or too long");
  }
  if (GetLittle<std::uint16_t>(bytes, 0) != kHandoffWireVersion) {
    return absl::UnimplementedError("hand-off message: another wire version");
  }
  const std::size_t type = GetLittle<std::uint16_t>(bytes, 2);
  if (type == 0 || type > kDecoders.size()) {
    return absl::InvalidArgumentError("hand-off message: unknown type");
  }
  const absl::string_view body = bytes.substr(kHandoffHeaderBytes);
  if (GetLittle<std::uint32_t>(bytes, 4) != body.size()) {
    return absl::InvalidArgumentError("hand-off message: its length is not what it says");
  }
  absl::StatusOr<HandoffMessage> message = kDecoders[type - 1](body);
  if (!message.ok()) return message.status();
  DecodedMessage decoded;
  decoded.header.session = SessionId{GetLittle<std::uint64_t>(bytes, 8)};
  decoded.header.sequence = GetLittle<std::uint32_t>(bytes, 16);
  decoded.header.frames_before = GetLittle<std::uint64_t>(bytes, 24);
  decoded.message = *std::move(message);
  return decoded;
}

}  // namespace baton
