// Any 40 bytes as the header of a frame, against a lease that is open: what is read back is what
// was written, and a place is given only inside a page that was lent.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "kvcache/kv_arena.h"
#include "kvtransfer/frame_header.h"
#include "kvtransfer/lease_table.h"

namespace baton {
namespace {

constexpr SessionId kSession{77};
constexpr std::uint32_t kFirstPage = 1;

KvLayout SmallLayout() {
  return {.num_layers = 2, .tokens_per_page = 4, .latent_dim = 6, .rope_dim = 2};
}

/// The input's bytes where the header's would be right anyway: else no input would meet the lease.
FrameHeader Meet(FrameHeader header, std::uint8_t right, const LeaseTable& leases, LeaseId lease) {
  const PiecePlan plan = PiecePlan::Of(SmallLayout(), SmallLayout().LayerBytes());
  if ((right & 1) != 0) header.session = kSession;
  if ((right & 2) != 0) header.lease = lease;
  if ((right & 4) != 0) header.page = header.page % 4;
  if ((right & 8) != 0) header.pieces = plan.pieces();
  if ((right & 16) != 0) header.piece = header.piece % 2;
  if ((right & 32) != 0) header.bytes = plan.BytesOf(0);
  BATON_CHECK(leases.Find(lease) != nullptr);
  return header;
}

void Offer(const FrameHeader& header, std::uint8_t right) {
  static const KvArena& arena = *KvArena::Create(SmallLayout(), 8).value().release();
  LeaseTable leases(arena);
  leases.OpenSession(kSession, PiecePlan::Of(SmallLayout(), SmallLayout().LayerBytes()));
  const LeaseId lease = leases.Open(kSession, kFirstPage);
  const std::vector<PageId> lent = {PageId{5}, PageId{2}};
  leases.Append(lease, lent);
  const FrameHeader offered = Meet(header, right, leases, lease);
  const std::byte* place = leases.Admit(offered);
  if (place == nullptr) return;
  BATON_CHECK(offered.page >= kFirstPage && offered.page - kFirstPage < lent.size());
  const std::span<std::byte> page = arena.Page(lent[offered.page - kFirstPage]);
  BATON_CHECK(place >= page.data() && place + offered.bytes <= page.data() + page.size());
  leases.Landed(offered, true);
  BATON_CHECK(leases.Admit(offered) == nullptr);  // once
}

}  // namespace
}  // namespace baton

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(data + 1);
  const auto header = baton::DecodeFrameHeader({bytes, size - 1});
  if (!header.has_value()) return 0;
  std::byte again[baton::kFrameHeaderBytes];
  baton::EncodeFrameHeader(*header, again);
  BATON_CHECK(std::memcmp(again, bytes, sizeof(again)) == 0);
  baton::Offer(*header, data[0]);
  return 0;
}
