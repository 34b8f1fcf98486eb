#include "server/text/piece_cache.h"

namespace baton {

const std::span<const TokenId>* PieceCache::Find(absl::string_view piece) {
  const auto place = places_.find(piece);
  if (place == places_.end()) return nullptr;
  found_ = std::span(tokens_).subspan(place->second.begin, place->second.count);
  return &found_;
}

void PieceCache::Put(absl::string_view piece, std::span<const TokenId> tokens) {
  if (places_.size() == kPiecesMax) {
    places_.clear();
    tokens_.clear();
  }
  places_.emplace(std::string(piece), Place{static_cast<std::uint32_t>(tokens_.size()),
                                            static_cast<std::uint32_t>(tokens.size())});
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
}

}  // namespace baton
