#include "server/roles/random_start.h"

#include <sys/random.h>

#include <cstring>

#include "base/check.h"

namespace baton {

std::uint64_t RandomNonZero() {
  std::uint64_t value = 0;
  while (value == 0) {
    const std::string bytes = RandomBytes(sizeof(value));
    std::memcpy(&value, bytes.data(), sizeof(value));
  }
  return value;
}

std::string RandomBytes(std::size_t bytes) {
  std::string out(bytes, '\0');
  BATON_CHECK(bytes <= 256);  // getrandom() gives that much in one piece
  BATON_CHECK(getrandom(out.data(), bytes, 0) == static_cast<ssize_t>(bytes));
  return out;
}

}  // namespace baton
