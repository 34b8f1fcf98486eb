// Counts what a test's thread takes from the heap through operator new: for tests that hold a hot
// path to taking nothing. Linking it replaces the global operators of that executable.
#pragma once

#include <cstdint>

namespace baton {

/// Calls of any operator new on this thread since it began.
std::uint64_t AllocationsOfThisThread();

}  // namespace baton
