// Cuts text into the pieces that are encoded each by itself: a row of splits, each working inside
// the pieces of the one before, and at the end the byte level's own.
//
//   "Hi 42"  --\p{N}{1,3}-->  "Hi ", "42"  --words-->  "Hi", " ", "42"
//
// Thread: any; a Scratch for each.
// Source: huggingface/tokenizers, pre_tokenizers/{split,digits,byte_level}.rs and
// tokenizer/normalizer.rs, NormalizedString::split.
#pragma once

#include <cstddef>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/text/split_pattern.h"

namespace baton {

/// What becomes of the text that a split's pattern matches.
enum class SplitBehavior {
  kIsolated,            // a piece of its own
  kRemoved,             // left out
  kMergedWithPrevious,  // joins the piece before it
  kMergedWithNext,      // joins the piece after it
  kContiguous,          // neighbouring matches are one piece
};

struct SplitStep {
  SplitPattern pattern;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;  // what does not match counts as the match
};

/// A blank before a piece that has none (`add_prefix_space`).
struct PrefixSpaceStep {};

class PreTokenizer {
 public:
  /// A piece, and the bytes of the text that it was made of.
  struct Piece {
    absl::string_view text;  // valid until the callback returns
    TextRange source;
    bool is_copy = false;  // holds a blank of ours: its parts come from all of `source`
  };
  using TakePiece = absl::FunctionRef<void(const Piece&)>;
  using Step = std::variant<SplitStep, PrefixSpaceStep>;

  void Add(Step step) { steps_.push_back(std::move(step)); }

  /// As SplitPattern::is_machine_code, of every split.
  bool is_machine_code() const;

  /// Hands over the pieces of `text` (well-formed UTF-8) in order; none is empty.
  /// Errors: InvalidArgument when a limit of splitting is hit.
  absl::Status Run(absl::string_view text, SplitPattern::Scratch& scratch, TakePiece take) const;

 private:
  struct Call {
    SplitPattern::Scratch& scratch;
    TakePiece take;
  };

  absl::Status RunFrom(std::size_t step, const Piece& piece, const Call& call) const;
  absl::Status Isolate(std::size_t step, const Piece& piece, const Call& call) const;
  absl::Status SplitAs(std::size_t step, const Piece& piece, const Call& call) const;
  absl::Status Prefix(std::size_t step, const Piece& piece, const Call& call) const;

  std::vector<Step> steps_;
};

}  // namespace baton
