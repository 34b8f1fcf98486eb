// A string of a chat template's run: UTF-8 bytes that remember, run by run, whether the template
// wrote them or they came with the request. The marks survive slicing, joining and filters, so that
// what a user typed can never become a control token.
//
// Immutable, a view: bytes and borders belong to the template or to the run's TemplateHeap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/text/text_run.h"

namespace baton {

struct TemplateText {
  absl::string_view bytes;
  bool trusted = false;                     // of the first byte
  absl::Span<const std::uint32_t> borders;  // offsets where trust flips, ascending, all inside
  bool safe = false;                        // of the `safe` filter: must not meet `+`

  /// The trust of the run that `offset` lies in.
  bool TrustedAt(std::size_t offset) const;
  bool all_trusted() const { return trusted && borders.empty(); }
};

/// Grows a marked string. Beyond its limit it takes no more and says so.
class TemplateTextBuilder {
 public:
  explicit TemplateTextBuilder(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void Append(absl::string_view bytes, bool trusted);
  void Append(const TemplateText& text);

  /// Bytes [begin, end) of `text`, with their marks.
  void Append(const TemplateText& text, std::size_t begin, std::size_t end);

  const std::string& bytes() const { return bytes_; }
  const std::vector<std::uint32_t>& borders() const { return borders_; }
  bool trusted() const { return first_trusted_; }
  bool overflowed() const { return overflowed_; }

  /// What was gathered as runs of equal trust; none is empty. The builder is then done with.
  std::vector<TextRun> TakeRuns() const;

 private:
  const std::size_t bytes_max_;
  std::string bytes_;
  std::vector<std::uint32_t> borders_;
  bool first_trusted_ = false;
  bool last_trusted_ = false;
  bool overflowed_ = false;
};

/// Python's `str` counts code points: how many `bytes` holds, and where the n-th begins (the size
/// of `bytes` when there are no more than n). `bytes` is UTF-8.
std::size_t CountCharacters(absl::string_view bytes);
std::size_t CharacterOffset(absl::string_view bytes, std::size_t n);

/// Bytes of the character that begins with `lead`.
std::size_t CharacterBytes(char lead);

}  // namespace baton
