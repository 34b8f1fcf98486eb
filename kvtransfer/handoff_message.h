// The small messages of the transfer channel as plain values, as the machines and sessions see
// them. Encoded by kvtransfer/handoff_wire.h alone; P is the prefill end, D the decode end.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "kvcache/kv_layout.h"
#include "kvcache/page_key.h"
#include "kvtransfer/handoff_types.h"
#include "kvtransfer/transport.h"

namespace baton {

/// P -> D: opens a session.
struct HelloMessage {
  std::uint64_t nonce = 0;
  Introduction introduction{};
  std::string worker_id;
  Incarnation incarnation{};
  Incarnation expected_incarnation{};  // the life of D that P means
  std::string transfer_address;        // of P
  Fingerprint fingerprint{};
  FingerprintFields fields;
  std::uint32_t frame_bytes_max = 0;
};

/// Why a session was refused, naming the field that differs.
struct HelloRefusal {
  HandoffReason reason{};
  std::string field;
  std::string mine;   // of the refusing worker
  std::string yours;  // of the refused one
};

struct ArenaFacts {
  std::uint32_t id = 0;
  std::uint64_t page_bytes = 0;
  std::uint32_t num_pages = 0;
  std::uint32_t piece_bytes = 0;
};

/// D -> P: the session's number stands in the header.
struct HelloAckMessage {
  std::uint64_t nonce = 0;
  Incarnation incarnation{};
  std::vector<ArenaFacts> arenas;
  std::uint64_t window_bytes = 0;
  std::uint32_t ttl_ms = 0;
  std::uint32_t renew_ms = 0;
  bool refused = false;
  HelloRefusal refusal;  // when refused
};

/// P -> D: the prompt is about to run.
struct OfferMessage {
  HandoffId handoff{};
  AttemptId id;
  std::uint32_t prompt_tokens = 0;
  PageKey prompt_key;
  std::uint32_t first_page_in_ms = 0;
  std::uint32_t renew = 0;
};

struct PageRun {
  std::uint32_t arena = 0;
  std::uint32_t page = 0;
  std::uint32_t count = 0;
};

/// D -> P: pages to write, in the prompt's order from first_page on.
struct GrantMessage {
  HandoffId handoff{};
  std::uint32_t attempt = 0;
  LeaseId lease{};
  std::uint32_t number = 0;
  std::uint32_t first_page = 0;
  std::vector<PageRun> runs;
  bool final = false;
  std::uint32_t renew_seen = 0;
  std::uint32_t ttl_ms = 0;
};

/// P -> D: extends the named leases alone.
struct RenewMessage {
  std::uint32_t renew = 0;
  std::vector<LeaseId> leases;
};

struct RenewAckMessage {
  std::uint32_t renew = 0;
  std::vector<LeaseId> unknown;
  std::uint64_t consumed_bytes = 0;
};

/// D -> P: bytes taken from the wire in this session, refused ones included.
struct CreditMessage {
  std::uint64_t consumed_bytes = 0;
};

/// P -> D: every piece was posted before this.
struct CommitMessage {
  LeaseId lease{};
  HandoffId handoff{};
  std::uint32_t attempt = 0;
  std::uint32_t pages = 0;
  std::uint32_t tokens = 0;
  std::uint64_t bytes = 0;
  std::uint64_t digest = 0;
  TokenId first_token = 0;
};

struct CommitAckMessage {
  LeaseId lease{};
  bool ok = false;
  HandoffReason reason{};  // when not ok
};

/// Both ways.
struct AbortMessage {
  HandoffId handoff{};
  std::uint32_t attempt = 0;
  LeaseId lease{};  // 0: none yet
  HandoffReason reason{};
  bool drained = false;  // from P: nothing posted, or all of it reported
  std::uint32_t retry_after_ms = 0;
};

/// P -> D: no write of the lease is outstanding and none will be posted.
struct AbortAckMessage {
  LeaseId lease{};
};

/// Both ways: no new Offers; live hand-offs finish.
struct ByeMessage {
  HandoffReason reason{};
};

/// In the order of their type numbers on the wire, from 1. Append only.
using HandoffMessage = std::variant<HelloMessage, HelloAckMessage, OfferMessage, GrantMessage,
                                    RenewMessage, RenewAckMessage, CreditMessage, CommitMessage,
                                    CommitAckMessage, AbortMessage, AbortAckMessage, ByeMessage>;

}  // namespace baton
