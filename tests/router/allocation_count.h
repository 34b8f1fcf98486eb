// How often this process has asked for memory: what a path that must not allocate is held to. Its
// own file, so that compilers see a whole pair of operators or none.
#pragma once

#include <cstddef>

namespace baton {

/// Since the process began. Thread: any.
std::size_t AllocationCount();

}  // namespace baton
