// Fresh random bits from the kernel: request ids, seeds of clients that gave none, a start's
// secret.
//
// Thread: any.
#pragma once

#include <cstdint>

namespace baton {

std::uint64_t RandomBits();

}  // namespace baton
