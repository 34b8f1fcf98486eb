// The two macros that error handling is written with. `expr` is evaluated once.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define BATON_RETURN_IF_ERROR(expr)                                   \
  do {                                                                \
    if (absl::Status _status = (expr); !_status.ok()) return _status; \
  } while (false)

#define BATON_ASSIGN_OR_RETURN(lhs, expr) \
  BATON_ASSIGN_OR_RETURN_(BATON_CONCAT_(_result, __LINE__), lhs, expr)
#define BATON_ASSIGN_OR_RETURN_(result, lhs, expr) \
  auto result = (expr);                            \
  if (!result.ok()) return result.status();        \
  lhs = *std::move(result)
#define BATON_CONCAT_(a, b) BATON_CONCAT2_(a, b)
#define BATON_CONCAT2_(a, b) a##b
