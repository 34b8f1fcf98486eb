#include "server/text/byte_pair.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

namespace baton {
namespace {

constexpr std::uint32_t kNeverMerges = std::numeric_limits<std::uint32_t>::max();
constexpr TokenId kMergedAway = -2;

bool IsBanned(const std::vector<bool>* banned, TokenId id) {
  return banned != nullptr && static_cast<std::size_t>(id) < banned->size() &&
         (*banned)[static_cast<std::size_t>(id)];
}

std::uint64_t HeapEntry(const BytePair::Scratch& scratch, std::int32_t at) {
  return static_cast<std::uint64_t>(scratch.symbols[static_cast<std::size_t>(at)].merge.rank)
             << 32 |
         static_cast<std::uint32_t>(at);
}

}  // namespace

BytePair::BytePair(const TokenTable& vocabulary, MergeTable merges, bool whole_pieces_first)
    : vocabulary_(vocabulary), merges_(std::move(merges)), whole_pieces_first_(whole_pieces_first) {
  for (int byte = 0; byte < 256; ++byte) {
    const char letter = static_cast<char>(byte);
    byte_tokens_[static_cast<std::size_t>(byte)] = vocabulary.Find({&letter, 1});
  }
}

int BytePair::bytes_missing() const {
  return static_cast<int>(std::count(byte_tokens_.begin(), byte_tokens_.end(), kNoToken));
}

void BytePair::Encode(absl::string_view piece, const std::vector<bool>* banned, Scratch& scratch,
                      std::vector<TokenId>& tokens) const {
  if (whole_pieces_first_) {
    const TokenId whole = vocabulary_.Find(piece);
    if (whole != kNoToken && (piece.size() == 1 || !IsBanned(banned, whole))) {
      tokens.push_back(whole);
      return;
    }
  }
  Begin(piece, banned, scratch);
  MergeAll(scratch, banned);
  for (const Scratch::Symbol& symbol : scratch.symbols) {
    if (symbol.id != kMergedAway) tokens.push_back(symbol.id);
  }
}

void BytePair::Begin(absl::string_view piece, const std::vector<bool>* banned,
                     Scratch& scratch) const {
  scratch.symbols.clear();
  scratch.heap.clear();
  scratch.sorted.clear();
  scratch.next = 0;
  for (const char c : piece) {
    const TokenId id = byte_tokens_[static_cast<unsigned char>(c)];
    if (id == kNoToken) continue;
    const auto at = static_cast<std::int32_t>(scratch.symbols.size());
    scratch.symbols.push_back({id, at - 1, at + 1, {kNeverMerges, 0}});
  }
  if (scratch.symbols.empty()) return;
  scratch.symbols.back().after = -1;
  for (std::int32_t at = 0; at < static_cast<std::int32_t>(scratch.symbols.size()); ++at) {
    LookUp(scratch, at, banned);
    if (scratch.symbols[static_cast<std::size_t>(at)].merge.rank == kNeverMerges) continue;
    scratch.sorted.push_back(HeapEntry(scratch, at));
  }
  std::sort(scratch.sorted.begin(), scratch.sorted.end());
}

// The first merge that waits. False when none does.
bool BytePair::TakeFirst(Scratch& scratch, std::uint64_t& entry) {
  if (scratch.next == scratch.sorted.size()) {
    std::sort(scratch.heap.begin(), scratch.heap.end());
    std::swap(scratch.sorted, scratch.heap);
    scratch.heap.clear();
    scratch.next = 0;
    if (scratch.sorted.empty()) return false;
  }
  if (scratch.heap.empty() || scratch.sorted[scratch.next] < scratch.heap.front()) {
    entry = scratch.sorted[scratch.next++];
    return true;
  }
  std::pop_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
  entry = scratch.heap.back();
  scratch.heap.pop_back();
  return true;
}

// Finds out what the symbol at `at` and the one after it become.
void BytePair::LookUp(Scratch& scratch, std::int32_t at, const std::vector<bool>* banned) const {
  Scratch::Symbol& symbol = scratch.symbols[static_cast<std::size_t>(at)];
  symbol.merge.rank = kNeverMerges;
  if (symbol.after < 0) return;
  const MergeTable::Merge* merge =
      merges_.Find(symbol.id, scratch.symbols[static_cast<std::size_t>(symbol.after)].id);
  if (merge != nullptr && !IsBanned(banned, merge->result)) symbol.merge = *merge;
}

void BytePair::MergeAll(Scratch& scratch, const std::vector<bool>* banned) const {
  std::vector<std::uint64_t>& heap = scratch.heap;
  const auto refresh = [&](std::int32_t at) {
    LookUp(scratch, at, banned);
    if (scratch.symbols[static_cast<std::size_t>(at)].merge.rank == kNeverMerges) return;
    heap.push_back(HeapEntry(scratch, at));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  std::uint64_t entry = 0;
  while (TakeFirst(scratch, entry)) {
    const auto at = static_cast<std::int32_t>(entry & 0xFFFFFFFFU);
    Scratch::Symbol& left = scratch.symbols[static_cast<std::size_t>(at)];
    if (left.id == kMergedAway || left.merge.rank != entry >> 32) continue;  // no longer holds
    Scratch::Symbol& right = scratch.symbols[static_cast<std::size_t>(left.after)];
    left.id = left.merge.result;
    right.id = kMergedAway;
    left.after = right.after;
    if (left.after >= 0) scratch.symbols[static_cast<std::size_t>(left.after)].before = at;
    refresh(at);
    if (left.before >= 0) refresh(left.before);
  }
}

}  // namespace baton
