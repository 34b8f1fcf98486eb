// What the kernels that write and read pages take of a batch and of a layer's pages, whatever
// stands in a page: the same lines for latents and for heads.
#pragma once

#include "engine/model/batch.h"
#include "engine/model/rope.h"
#include "kvcache/kv_arena.h"

namespace baton {

/// One layer's part of every page, and the type that is computed in.
struct PagedLayer {
  const KvArena& arena;
  int index;
  DType dtype;
};

template <typename Params>
Params PagesOf(const PagedLayer& layer) {
  const KvLayout& layout = layer.arena.layout();
  Params params;
  params.tokens_per_page = layout.tokens_per_page;
  params.activation = layer.dtype;
  params.cache_dtype = layout.dtype;
  params.pages = layer.arena.base() + layout.OffsetOf(PageId{0}, layer.index);
  params.page_stride_bytes = layout.PageBytes();
  return params;
}

/// Of mla_append and gqa_append; shapes and tensors are the family's to fill.
template <typename Params>
Params AppendParams(const PagedLayer& layer, const Batch& batch, const RopeTables& rope) {
  auto params = PagesOf<Params>(layer);
  params.tokens = batch.tokens();
  params.weight_dtype = layer.dtype;
  params.cos = rope.cos.data();
  params.sin = rope.sin.data();
  params.positions = batch.positions.data();
  params.slots = batch.slots.data();
  return params;
}

/// Of mla_decode and gqa_decode; shapes and tensors are the family's to fill.
template <typename Params>
Params AttendParams(const PagedLayer& layer, const Batch& batch) {
  auto params = PagesOf<Params>(layer);
  params.sequences = batch.sequences();
  params.row_starts = batch.row_starts.data();
  params.lengths = batch.lengths.data();
  params.block_table = batch.block_table.data();
  params.max_pages = batch.max_pages;
  return params;
}

}  // namespace baton
