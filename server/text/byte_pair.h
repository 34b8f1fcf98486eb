// Byte pair encoding of one piece of text: its bytes are the first tokens, and again and again the
// pair that merges earliest becomes one, of equals the leftmost.
//
//   "hello"  h e l l o  ->  h e ll o  ->  he ll o  ->  hell o  ->  hello
//
// Pairs wait in order of (rank, position); entries that no longer hold are left out as they come
// up: O(n log n) for n bytes. They wait in a sorted list and, what is found while that lasts, a
// heap, which becomes the next list: a heap alone spends its time on cache misses when a piece is
// long.
//
// Thread: any; a Scratch for each.
// Source: Sennrich, Haddow, Birch, "Neural Machine Translation of Rare Words with Subword Units",
// 2016; the order of merges as in huggingface/tokenizers, models/bpe/word.rs.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/ids.h"
#include "server/text/merge_table.h"
#include "server/text/token_table.h"

namespace baton {

class BytePair {
 public:
  /// Room for the tokens of a piece, kept from call to call.
  struct Scratch {
    struct Symbol {
      TokenId id;
      std::int32_t before;  // index of the neighbour, or -1
      std::int32_t after;
      MergeTable::Merge merge;  // with the one after; rank kNeverMerges: none
    };
    std::vector<Symbol> symbols;
    // Merges to come, as rank << 32 | position: those that were known when the list began, in order
    // from `next` on, and those found since, the least on top.
    std::vector<std::uint64_t> sorted;
    std::size_t next = 0;
    std::vector<std::uint64_t> heap;
  };

  /// `vocabulary` outlives it. With `whole_pieces_first` a piece that is a token is that token,
  /// whether merges reach it or not (`ignore_merges`).
  BytePair(const TokenTable& vocabulary, MergeTable merges, bool whole_pieces_first);

  /// Appends the tokens of `piece`. Bytes that are no token of the vocabulary leave none. Tokens
  /// of more than one byte that `banned` (by id, maybe null) names do not arise.
  void Encode(absl::string_view piece, const std::vector<bool>* banned, Scratch& scratch,
              std::vector<TokenId>& tokens) const;

  /// How many of the 256 bytes are no token.
  int bytes_missing() const;

 private:
  void Begin(absl::string_view piece, const std::vector<bool>* banned, Scratch& scratch) const;
  static bool TakeFirst(Scratch& scratch, std::uint64_t& entry);
  void LookUp(Scratch& scratch, std::int32_t at, const std::vector<bool>* banned) const;
  void MergeAll(Scratch& scratch, const std::vector<bool>* banned) const;

  const TokenTable& vocabulary_;
  const MergeTable merges_;
  const bool whole_pieces_first_;
  std::array<TokenId, 256> byte_tokens_;
};

}  // namespace baton
