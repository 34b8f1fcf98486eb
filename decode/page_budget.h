// How many pages may still be given away: what is free less what admitted work was promised. An
// admitted sequence thus always finds the pages of its prompt and of its promised growth
// ("admitted means finishable").
//
// A promise is a number; until they are taken the pages serve as prefix cache.
//
// Thread: confined to the engine thread. Pure.
#pragma once

#include <cstdint>

#include "base/check.h"
#include "kvcache/page_pool.h"

namespace baton {

class PageBudget {
 public:
  struct Options {
    std::uint32_t watermark_pages = 0;    // kept out of promises
    std::uint32_t inbound_pages_max = 0;  // lent to hand-offs at a time, unless it is a single one
  };

  PageBudget(const PagePool& pool, const Options& options) : pool_(pool), options_(options) {}

  /// Whether a sequence that takes `now` pages at once and `growth` later may be admitted. When
  /// nothing is promised or lent, the watermark does not hold it back: alone, whatever fits runs.
  bool Fits(std::uint32_t now, std::uint32_t growth) const {
    const std::uint64_t wanted = std::uint64_t{now} + growth + promised_;
    const bool alone = promised_ == 0 && inbound_ == 0;
    return wanted + (alone ? 0 : options_.watermark_pages) <= pool_.num_free();
  }

  /// Whether `pages` more may be lent to a hand-off.
  bool MayLend(std::uint32_t pages) const {
    return inbound_ == 0 || std::uint64_t{inbound_} + pages <= options_.inbound_pages_max;
  }

  void Lend(std::uint32_t pages) { inbound_ += pages; }
  void Unlend(std::uint32_t pages) {
    BATON_CHECK(inbound_ >= pages);
    inbound_ -= pages;
  }

  void Promise(std::uint32_t pages) { promised_ += pages; }
  /// A promised page was taken, or its sequence is over.
  void Redeem(std::uint32_t pages) {
    BATON_CHECK(promised_ >= pages);
    promised_ -= pages;
  }

  std::uint32_t promised() const { return promised_; }
  std::uint32_t inbound() const { return inbound_; }

 private:
  const PagePool& pool_;
  const Options options_;
  std::uint32_t promised_ = 0;
  std::uint32_t inbound_ = 0;
};

}  // namespace baton
