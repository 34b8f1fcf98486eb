#include "base/digest.h"

#include <openssl/evp.h>

#include <bit>

#include "base/check.h"

namespace baton {

static_assert(std::endian::native == std::endian::little,
              "numbers are hashed as they lie in memory");

struct Sha256::Context {
  EVP_MD_CTX* evp = nullptr;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  context_->evp = EVP_MD_CTX_new();
  BATON_CHECK(context_->evp != nullptr);
  BATON_CHECK(EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_->evp); }

void Sha256::AddBytes(std::span<const std::byte> bytes) {
  BATON_CHECK(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) == 1);
}

void Sha256::AddU32(std::uint32_t value) { AddBytes(std::as_bytes(std::span(&value, 1))); }

void Sha256::AddU64(std::uint64_t value) { AddBytes(std::as_bytes(std::span(&value, 1))); }

void Sha256::AddString(absl::string_view text) {
  AddU64(text.size());
  AddBytes(std::as_bytes(std::span(text.data(), text.size())));
}

Sha256Digest Sha256::Finish() {
  Sha256Digest digest{};
  unsigned int size = 0;
  BATON_CHECK(EVP_DigestFinal_ex(context_->evp, digest.data(), &size) == 1);
  BATON_CHECK(size == digest.size());
  return digest;
}

std::string ToHex(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (std::uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

}  // namespace baton
