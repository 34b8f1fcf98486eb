// Assertions for our own bugs. They stay on in release builds: a wrong page number must stop the
// process, not corrupt another user's cache. Operating errors are absl::Status, never CHECK, and no
// input may reach one.
#pragma once

#include <cstdio>
#include <cstdlib>

#define BATON_CHECK(condition)                                                           \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
