#include "server/roles/random_start.h"

#include <algorithm>
#include <cstring>

#include "server/openai/random_bits.h"

namespace baton {

std::uint64_t RandomNonZero() {
  while (true) {
    if (const std::uint64_t value = RandomBits(); value != 0) return value;
  }
}

std::string RandomBytes(std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t done = 0; done < bytes; done += sizeof(std::uint64_t)) {
    const std::uint64_t bits = RandomBits();
    std::memcpy(out.data() + done, &bits, std::min(sizeof(bits), bytes - done));
  }
  return out;
}

}  // namespace baton
