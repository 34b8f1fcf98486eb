#include "kvcache/kv_arena.h"

#include <sys/mman.h>

#include <cstring>

#include "absl/strings/str_format.h"
#include "base/check.h"

namespace baton {

absl::StatusOr<std::unique_ptr<KvArena>> KvArena::Create(const KvLayout& layout,
                                                         std::uint32_t num_pages) {
  const std::size_t bytes = std::size_t{num_pages} * layout.PageBytes();
  if (bytes == 0) return absl::InvalidArgumentError("a page pool needs at least one page");
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "cannot map %d bytes for %d KV pages; lower cache.pages", bytes, num_pages));
  }
  // Advice: a socket and a checksum walk pages a quarter faster without a TLB miss every 4 KiB.
  madvise(base, bytes, MADV_HUGEPAGE);
  return std::unique_ptr<KvArena>(
      new KvArena(layout, num_pages, static_cast<std::byte*>(base), bytes));
}

KvArena::KvArena(const KvLayout& layout, std::uint32_t num_pages, std::byte* base,
                 std::size_t bytes)
    : layout_(layout), num_pages_(num_pages), base_(base), bytes_(bytes) {}

KvArena::~KvArena() { munmap(base_, bytes_); }

std::span<std::byte> KvArena::Page(PageId page) const {
  BATON_CHECK(Index(page) < num_pages_);
  return {base_ + layout_.OffsetOf(page, 0), layout_.PageBytes()};
}

void KvArena::ZeroRows(PageId page, int first_token) const {
  BATON_CHECK(Index(page) < num_pages_ && first_token >= 0);
  BATON_CHECK(first_token <= layout_.tokens_per_page);
  std::byte* at = base_ + layout_.OffsetOf(page, 0);
  for (int plane = 0; plane < layout_.num_layers * layout_.Planes(); ++plane) {
    const int of_layer = plane % layout_.Planes();
    const std::size_t kept = static_cast<std::size_t>(first_token) * layout_.RowBytes(of_layer);
    std::memset(at + kept, 0, layout_.PlaneBytes(of_layer) - kept);
    at += layout_.PlaneBytes(of_layer);
  }
}

}  // namespace baton
