#include "kvcache/page_key.h"

#include <cstring>

#include "base/digest.h"

namespace baton {
namespace {

PageKey CutTo128(const Sha256Digest& digest) {
  PageKey key;
  std::memcpy(&key.high, digest.data(), 8);
  std::memcpy(&key.low, digest.data() + 8, 8);
  return key;
}

}  // namespace

PageKey RootKey(absl::string_view key_namespace, absl::string_view salt) {
  Sha256 hash;
  hash.AddString(key_namespace);
  hash.AddString(salt);
  return CutTo128(hash.Finish());
}

PageKey ChainKey(const PageKey& parent, std::span<const TokenId> tokens) {
  Sha256 hash;
  hash.AddU64(parent.high);
  hash.AddU64(parent.low);
  hash.AddBytes(std::as_bytes(tokens));
  return CutTo128(hash.Finish());
}

std::vector<PageKey> PageKeysOf(const PageKey& root, std::span<const TokenId> tokens,
                                int tokens_per_page) {
  const std::size_t page = static_cast<std::size_t>(tokens_per_page);
  std::vector<PageKey> keys;
  keys.reserve(tokens.size() / page);
  PageKey parent = root;
  for (std::size_t first = 0; first + page <= tokens.size(); first += page) {
    parent = ChainKey(parent, tokens.subspan(first, page));
    keys.push_back(parent);
  }
  return keys;
}

PageKey PromptKeyOf(const PageKey& root, std::span<const TokenId> tokens, int tokens_per_page) {
  const std::vector<PageKey> keys = PageKeysOf(root, tokens, tokens_per_page);
  const std::size_t full = keys.size() * static_cast<std::size_t>(tokens_per_page);
  const PageKey last = keys.empty() ? root : keys.back();
  return full == tokens.size() ? last : ChainKey(last, tokens.subspan(full));
}

}  // namespace baton
