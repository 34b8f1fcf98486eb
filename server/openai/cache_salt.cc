#include "server/openai/cache_salt.h"

#include <array>
#include <span>

#include "base/digest.h"

namespace baton {
namespace {

constexpr std::size_t kBlockBytes = 64;  // SHA-256's

using Block = std::array<std::uint8_t, kBlockBytes>;

// A secret longer than a block is hashed first, as the RFC has it.
Block KeyBlock(absl::string_view secret) {
  Block block{};
  if (secret.size() > kBlockBytes) {
    Sha256 hash;
    hash.AddBytes(std::as_bytes(std::span(secret.data(), secret.size())));
    const Sha256Digest digest = hash.Finish();
    for (std::size_t i = 0; i < digest.size(); ++i) block[i] = digest[i];
    return block;
  }
  for (std::size_t i = 0; i < secret.size(); ++i) block[i] = static_cast<std::uint8_t>(secret[i]);
  return block;
}

void AddPadded(Sha256& hash, Block block, std::uint8_t pad) {
  for (std::uint8_t& byte : block) byte ^= pad;
  hash.AddBytes(std::as_bytes(std::span(block)));
}

}  // namespace

std::string DeriveCacheSalt(absl::string_view cluster_secret, absl::string_view tenant,
                            absl::string_view client_salt) {
  if (tenant.empty() && client_salt.empty()) return {};
  const Block key = KeyBlock(cluster_secret);
  Sha256 inner;
  AddPadded(inner, key, 0x36);
  inner.AddString(tenant);
  inner.AddString(client_salt);
  const Sha256Digest inner_digest = inner.Finish();
  Sha256 outer;
  AddPadded(outer, key, 0x5c);
  outer.AddBytes(std::as_bytes(std::span(inner_digest)));
  return ToHex(outer.Finish());
}

}  // namespace baton
