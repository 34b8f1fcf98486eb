// The memory of a worker's page pool: one anonymous mapping, page-major as KvLayout says. Pages
// cost memory when first written. Owns bytes, not rights: who may touch a page is PagePool's
// business.
//
// Lifetime: outlives the executor and the transport that read and write it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "kvcache/kv_layout.h"

namespace baton {

class KvArena {
 public:
  /// Errors: ResourceExhausted when the mapping is refused.
  static absl::StatusOr<std::unique_ptr<KvArena>> Create(const KvLayout& layout,
                                                         std::uint32_t num_pages);
  ~KvArena();
  KvArena(const KvArena&) = delete;
  KvArena& operator=(const KvArena&) = delete;

  const KvLayout& layout() const { return layout_; }
  std::uint32_t num_pages() const { return num_pages_; }
  std::byte* base() const { return base_; }

  /// All layers of one page: layout().PageBytes() bytes.
  std::span<std::byte> Page(PageId page) const;

  /// Zeroes the rows of tokens [first_token, tokens_per_page) of a page, in every layer: what no
  /// token of a prompt fills must neither travel nor disturb a digest.
  void ZeroRows(PageId page, int first_token) const;

 private:
  KvArena(const KvLayout& layout, std::uint32_t num_pages, std::byte* base, std::size_t bytes);

  const KvLayout layout_;
  const std::uint32_t num_pages_;
  std::byte* const base_;
  const std::size_t bytes_;
};

}  // namespace baton
