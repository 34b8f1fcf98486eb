// Any bytes as a pattern and a text, a NUL between them: the pattern is refused, or splits the text
// into pieces that are the text again, or hits a limit.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "server/text/pattern_rewrite.h"
#include "server/text/pre_tokenizer.h"
#include "server/text/utf8.h"

namespace {

constexpr auto kTimeMax = std::chrono::seconds(1);

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t border = input.find('\0');
  const absl::string_view pattern = input.substr(0, border);
  if (border == absl::string_view::npos || baton::WellFormedBytes(pattern) != pattern.size()) {
    return 0;
  }
  const absl::string_view rest = input.substr(border + 1);
  const absl::string_view text = rest.substr(0, baton::WellFormedBytes(rest));
  const auto rewritten = baton::RewritePattern(pattern);
  if (!rewritten.ok()) return 0;
  auto compiled = baton::SplitPattern::Compile(*rewritten);
  if (!compiled.ok()) return 0;
  baton::PreTokenizer row;
  row.Add(baton::SplitStep{*std::move(compiled)});
  baton::SplitPattern::Scratch scratch;
  scratch.StopAt(std::chrono::steady_clock::now() + kTimeMax);
  std::string whole;
  const absl::Status status = row.Run(text, scratch, [&](const baton::PreTokenizer::Piece& piece) {
    BATON_CHECK(baton::WellFormedBytes(piece.text) == piece.text.size());
    whole.append(piece.text.data(), piece.text.size());
  });
  BATON_CHECK(!status.ok() || whole == text);
  return 0;
}
