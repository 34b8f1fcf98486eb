// A regular expression that splits text, behind PCRE2's one door.
//
// Searching is bounded in time on any text: a search tries only so many starts at once that the
// clock is read every few milliseconds, and a match has a limit of its own against patterns that
// backtrack without end. Compiled to machine code where the system lets us.
//
// Thread: any; a Scratch for each.
// Source: pcre2api(3), pcre2jit(3), 10.42.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/time.h"

namespace baton {

/// Bytes [begin, end) of a text.
struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

class SplitPattern {
 public:
  /// What matching needs, kept from call to call; any pattern can use it.
  class Scratch {
   public:
    Scratch();
    ~Scratch();
    Scratch(Scratch&&) noexcept;
    Scratch& operator=(Scratch&&) noexcept;

    /// Until when searches may take; the start of a text sets it.
    void StopAt(Instant deadline) { deadline_ = deadline; }

   private:
    friend class SplitPattern;
    struct Handles;
    std::unique_ptr<Handles> handles_;
    Instant deadline_ = kNever;
    std::size_t work_ = 0;  // characters that may have been looked at since the clock was read
  };

  /// `pattern` is in PCRE2's words already (pattern_rewrite.h). Errors: InvalidArgument.
  static absl::StatusOr<SplitPattern> Compile(const std::string& pattern);

  ~SplitPattern();
  SplitPattern(SplitPattern&&) noexcept;
  SplitPattern& operator=(SplitPattern&&) noexcept;

  /// The first match that begins at `from` or later. `text` is well-formed UTF-8, and `from` stands
  /// between two characters.
  /// Errors: InvalidArgument when a limit is hit.
  absl::StatusOr<std::optional<TextRange>> Find(absl::string_view text, std::size_t from,
                                                Scratch& scratch) const;

  /// False where the system refuses machine code made at run time; matching is then slower.
  bool is_machine_code() const { return is_machine_code_; }

 private:
  struct Code;
  explicit SplitPattern(std::unique_ptr<Code> code);

  std::unique_ptr<Code> code_;
  bool is_machine_code_ = false;
};

/// All matches of a pattern in a text, from left to right, as the published tokenizers find them:
/// an empty match directly after a match does not count.
class SplitCursor {
 public:
  SplitCursor(const SplitPattern& pattern, absl::string_view text, SplitPattern::Scratch& scratch)
      : pattern_(pattern), text_(text), scratch_(scratch) {}

  /// Errors: as SplitPattern::Find.
  absl::StatusOr<std::optional<TextRange>> Next();

 private:
  const SplitPattern& pattern_;
  const absl::string_view text_;
  SplitPattern::Scratch& scratch_;
  std::size_t from_ = 0;
  std::optional<std::size_t> last_end_;
};

}  // namespace baton
