#include "tests/faults/put_sink.h"

#include <variant>

namespace baton {

void PutSink::Follow(const DecodedMessage& told) {
  if (const auto* ack = std::get_if<HelloAckMessage>(&told.message)) {
    if (!ack->refused) piece_bytes_[told.header.session] = ack->arenas.at(0).piece_bytes;
  }
  if (const auto* grant = std::get_if<GrantMessage>(&told.message)) {
    Lease& lease = leases_[grant->lease];
    if (lease.pages.empty()) lease.first_page = grant->first_page;
    for (const PageRun& run : grant->runs) {
      for (std::uint32_t i = 0; i < run.count; ++i) lease.pages.push_back(PageId{run.page + i});
    }
  }
}

std::byte* PutSink::Admit(const FrameHeader& header) {
  std::byte* place = table_->Admit(header);
  lawful_ = place != nullptr;
  if (lawful_) return place;
  const auto lease = leases_.find(header.lease);
  const auto piece_bytes = piece_bytes_.find(header.session);
  if (lease == leases_.end() || piece_bytes == piece_bytes_.end()) return nullptr;
  const std::size_t ordinal = header.page - lease->second.first_page;
  if (ordinal >= lease->second.pages.size()) return nullptr;
  const std::span<std::byte> page = pages_.Page(lease->second.pages[ordinal]);
  const std::size_t offset = std::size_t{header.piece} * piece_bytes->second;
  return offset + header.bytes <= page.size() ? page.data() + offset : nullptr;
}

void PutSink::Landed(const FrameHeader& header, bool checksum_agrees) {
  if (lawful_) table_->Landed(header, checksum_agrees);
}

}  // namespace baton
