// Bounds of a chat template: its source, its nesting, and what one run of it may cost. A run that
// reaches one ends with an error; nothing grows with what a request holds but the answer to it.
// Source: the limits at the door, docs/api.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baton {

constexpr std::size_t kTemplateSourceBytesMax = 64 * 1024;
constexpr int kTemplateNestingMax = 32;  // blocks in blocks, brackets in brackets, macros in macros

/// `a + b + c ...`, `x | f | g ...`: one operand deeper each, without brackets.
constexpr int kTemplateChainMax = 400;

/// Expressions inside each other at run time, macros' included: bounds the stack.
constexpr int kTemplateEvaluationDepthMax = 800;

constexpr std::size_t kTemplateOutputBytesMax = 4 * 1024 * 1024;  // of any one string, too

/// A step is a statement run or a turn of a loop, and each KiB built or searched; expressions cost
/// a part of one. Counted in parts, so that none is free.
constexpr std::int64_t kTemplateStepsMax = 100'000;
constexpr std::int64_t kTemplateStepParts = 64;

/// Memory of one run beside the request and the output.
constexpr std::size_t kTemplateHeapBytesMax = 32 * 1024 * 1024;

/// Lists in lists when printed or compared.
constexpr int kTemplateValueDepthMax = 100;

constexpr std::int64_t kTemplateRangeMax = 100'000;  // transformers' sandbox
constexpr std::size_t kRaisedMessageBytesMax = 256;  // of raise_exception

}  // namespace baton
