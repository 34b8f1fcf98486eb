#include "server/openai/random_bits.h"

#include <sys/random.h>

#include "base/check.h"

namespace baton {

std::uint64_t RandomBits() {
  std::uint64_t bits = 0;
  // Up to 256 bytes come whole and without a wait once the machine has booted (getrandom(2)).
  BATON_CHECK(getrandom(&bits, sizeof bits, 0) == static_cast<ssize_t>(sizeof bits));
  return bits;
}

}  // namespace baton
