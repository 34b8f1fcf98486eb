// How model families write calls of tools into their answers: what opens a call, what its head says
// before the arguments, what closes it. The machine that reads them is ToolCallParser.
//
//   hermes       <tool_call>\n{"name": "f", "arguments": {...}}\n</tool_call>        (Qwen)
//   llama3_json  {"name": "f", "parameters": {...}}; {...}     the whole answer      (Llama 3)
//   deepseek_v3  <|tool calls begin|><|tool call begin|>function<|tool sep|>f\n```json\n{...}\n```
//                <|tool call end|>...<|tool calls end|>, or with f before the separator and {...}
//                right after it (V3.1); the marks are written with U+FF5C and U+2581.
//
// Pure. Source: the families' published chat templates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace baton {

enum class ToolCallMarkup : std::uint8_t { kNone, kHermes, kLlamaJson, kDeepSeek };

/// What opens calls. Llama's opens only at the beginning of an answer, or after another call.
absl::string_view ToolCallOpener(ToolCallMarkup markup);

/// What reading a piece of markup came to. kMore: it may still become one.
enum class ToolCallRead : std::uint8_t { kMore, kDone, kFailed };

/// Reads what stands between an opener and the arguments' `{`; `size` is set when kDone.
struct ToolCallHead {
  std::string name;
  std::size_t size = 0;
};
ToolCallRead ReadToolCallHead(ToolCallMarkup markup, absl::string_view text, ToolCallHead& head);

/// Reads what closes a call after its arguments; `size` is set when kDone.
ToolCallRead ReadToolCallTail(ToolCallMarkup markup, absl::string_view text, std::size_t& size);

}  // namespace baton
