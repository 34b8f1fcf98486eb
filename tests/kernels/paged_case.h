// Sequences over shuffled pages, for attention problems of any form: what is not part of a problem
// is NaN, or a page number that points nowhere.
#pragma once

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/kernels/tensor.h"

namespace baton::testing {

/// Rows and tokens of one sequence; its contents depend on `identity` alone.
struct PagedSequence {
  std::uint32_t identity = 0;
  int rows = 1;
  int length = 1;  // tokens in the cache; the last row sees them all
};

inline PagedSequence RandomSequence(Random& random, std::uint32_t identity) {
  const int rows = random.Pick<int>({0, 1, 1, 1, 2, 7, 20});
  return {.identity = identity, .rows = rows, .length = rows + random.Integer(0, 150)};
}

/// All bits set, which is NaN in every type of pages.
inline std::vector<std::byte> PoisonedPages(int pages, std::size_t page_bytes) {
  return std::vector<std::byte>(static_cast<std::size_t>(pages) * page_bytes, std::byte{0xff});
}

/// Element types of pages.
inline const std::vector<DType>& PageTypes() {
  static const std::vector<DType> types{DType::kBf16, DType::kF16, DType::kF32, DType::kFp8E4m3};
  return types;
}

class PagedTable {
 public:
  static constexpr std::int32_t kNowhere = 2147480000;

  /// `shuffle` chooses page numbers; two tables that differ in it alone are the same problem.
  PagedTable(int tokens_per_page, std::vector<PagedSequence> wanted, std::uint32_t shuffle)
      : sequences(std::move(wanted)), tokens_per_page_(tokens_per_page) {
    for (const PagedSequence& s : sequences) {
      pages += PagesOf(s);
      max_pages = std::max(max_pages, PagesOf(s) + 2);
    }
    pages += 3;
    std::vector<std::int32_t> free(static_cast<std::size_t>(pages));
    std::iota(free.begin(), free.end(), 0);
    Random shuffler(shuffle);
    std::shuffle(free.begin(), free.end(), shuffler.engine());
    for (const PagedSequence& s : sequences) Add(s, free);
  }

  /// Page and place in it of a sequence's token.
  std::pair<std::int32_t, int> PlaceOf(std::size_t sequence, int token) const {
    const auto entry = sequence * static_cast<std::size_t>(max_pages) +
                       static_cast<std::size_t>(token / tokens_per_page_);
    return {block_table[entry], token % tokens_per_page_};
  }

  /// Fills query vectors of `elements` a row; a row's contents depend on the sequence's identity
  /// and its position in the sequence.
  void FillQueries(Tensor& query, std::int64_t elements) const {
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      for (int row = 0; row < sequences[s].rows; ++row) {
        const int position = sequences[s].length - sequences[s].rows + row;
        Random values(sequences[s].identity * 100003 + static_cast<std::uint32_t>(position) * 2);
        const std::int64_t at = std::int64_t{row_starts[s] + row} * elements;
        for (std::int64_t i = 0; i < elements; ++i) query.Set(at + i, values.Normal());
      }
    }
  }

  int rows() const { return row_starts.back(); }

  std::vector<PagedSequence> sequences;
  std::vector<std::int32_t> row_starts{0};
  std::vector<std::int32_t> lengths;
  std::vector<std::int32_t> block_table;
  int max_pages = 0;
  int pages = 0;  // that exist; three belong to nobody

 private:
  int PagesOf(const PagedSequence& s) const {
    return (s.length + tokens_per_page_ - 1) / tokens_per_page_;
  }

  void Add(const PagedSequence& s, std::vector<std::int32_t>& free) {
    for (int page = 0; page < max_pages; ++page) {
      if (page >= PagesOf(s)) {
        block_table.push_back(page % 2 == 0 ? -1 : kNowhere);
        continue;
      }
      block_table.push_back(free.back());
      free.pop_back();
    }
    row_starts.push_back(row_starts.back() + s.rows);
    lengths.push_back(s.length);
  }

  const int tokens_per_page_;
};

}  // namespace baton::testing
