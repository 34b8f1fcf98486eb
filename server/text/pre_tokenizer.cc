#include "server/text/pre_tokenizer.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace baton {
namespace {

struct Section {
  TextRange range;
  bool is_match;
};
using Sections = std::vector<Section>;

/// Matches and what stands between them, in order; only matches may be empty.
absl::StatusOr<Sections> FindSections(const SplitStep& step, absl::string_view text,
                                      SplitPattern::Scratch& scratch) {
  Sections sections;
  SplitCursor cursor(step.pattern, text, scratch);
  std::size_t done = 0;
  while (true) {
    BATON_ASSIGN_OR_RETURN(const std::optional<TextRange> match, cursor.Next());
    if (!match.has_value()) break;
    if (done < match->begin) sections.push_back({{done, match->begin}, step.invert});
    sections.push_back({*match, !step.invert});
    done = match->end;
  }
  if (done < text.size()) sections.push_back({{done, text.size()}, step.invert});
  return sections;
}

// A match that follows no match joins what stands before it.
Sections MergeWithPrevious(const Sections& sections) {
  Sections merged;
  bool after_match = false;
  for (const Section& section : sections) {
    if (section.is_match && !after_match && !merged.empty()) {
      merged.back().range.end = section.range.end;
    } else {
      merged.push_back(section);
    }
    after_match = section.is_match;
  }
  return merged;
}

Sections MergeWithNext(Sections sections) {
  std::reverse(sections.begin(), sections.end());
  Sections merged;
  bool before_match = false;
  for (const Section& section : sections) {
    if (section.is_match && !before_match && !merged.empty()) {
      merged.back().range.begin = section.range.begin;
    } else {
      merged.push_back(section);
    }
    before_match = section.is_match;
  }
  std::reverse(merged.begin(), merged.end());
  return merged;
}

Sections MergeContiguous(const Sections& sections) {
  Sections merged;
  for (const Section& section : sections) {
    if (!merged.empty() && merged.back().is_match == section.is_match) {
      merged.back().range.end = section.range.end;
    } else {
      merged.push_back(section);
    }
  }
  return merged;
}

Sections Behave(SplitBehavior behavior, Sections sections) {
  switch (behavior) {
    case SplitBehavior::kIsolated:
      return sections;
    case SplitBehavior::kRemoved:
      std::erase_if(sections, [](const Section& section) { return section.is_match; });
      return sections;
    case SplitBehavior::kMergedWithPrevious:
      return MergeWithPrevious(sections);
    case SplitBehavior::kMergedWithNext:
      return MergeWithNext(std::move(sections));
    case SplitBehavior::kContiguous:
      return MergeContiguous(sections);
  }
  return sections;
}

/// Bytes [begin, end) of a piece.
PreTokenizer::Piece PartOf(const PreTokenizer::Piece& piece, std::size_t begin, std::size_t end) {
  const absl::string_view text = piece.text.substr(begin, end - begin);
  if (piece.is_copy) return {text, piece.source, true};
  return {text, {piece.source.begin + begin, piece.source.begin + end}, false};
}

}  // namespace

bool PreTokenizer::is_machine_code() const {
  return std::all_of(steps_.begin(), steps_.end(), [](const Step& step) {
    const auto* split = std::get_if<SplitStep>(&step);
    return split == nullptr || split->pattern.is_machine_code();
  });
}

absl::Status PreTokenizer::Run(absl::string_view text, SplitPattern::Scratch& scratch,
                               TakePiece take) const {
  return RunFrom(0, {text, {0, text.size()}, false}, {scratch, take});
}

absl::Status PreTokenizer::RunFrom(std::size_t step, const Piece& piece, const Call& call) const {
  if (piece.text.empty()) return absl::OkStatus();
  if (step == steps_.size()) {
    call.take(piece);
    return absl::OkStatus();
  }
  const auto* split = std::get_if<SplitStep>(&steps_[step]);
  if (split == nullptr) return Prefix(step, piece, call);
  if (split->behavior == SplitBehavior::kIsolated) return Isolate(step, piece, call);
  return SplitAs(step, piece, call);
}

// The common behaviour, without a list of sections.
absl::Status PreTokenizer::Isolate(std::size_t step, const Piece& piece, const Call& call) const {
  SplitCursor cursor(std::get<SplitStep>(steps_[step]).pattern, piece.text, call.scratch);
  std::size_t done = 0;
  while (true) {
    BATON_ASSIGN_OR_RETURN(const std::optional<TextRange> match, cursor.Next());
    if (!match.has_value()) break;
    BATON_RETURN_IF_ERROR(RunFrom(step + 1, PartOf(piece, done, match->begin), call));
    BATON_RETURN_IF_ERROR(RunFrom(step + 1, PartOf(piece, match->begin, match->end), call));
    done = match->end;
  }
  return RunFrom(step + 1, PartOf(piece, done, piece.text.size()), call);
}

absl::Status PreTokenizer::SplitAs(std::size_t step, const Piece& piece, const Call& call) const {
  const SplitStep& split = std::get<SplitStep>(steps_[step]);
  BATON_ASSIGN_OR_RETURN(Sections sections, FindSections(split, piece.text, call.scratch));
  for (const Section& section : Behave(split.behavior, std::move(sections))) {
    BATON_RETURN_IF_ERROR(
        RunFrom(step + 1, PartOf(piece, section.range.begin, section.range.end), call));
  }
  return absl::OkStatus();
}

absl::Status PreTokenizer::Prefix(std::size_t step, const Piece& piece, const Call& call) const {
  if (absl::StartsWith(piece.text, " ")) return RunFrom(step + 1, piece, call);
  const std::string prefixed = absl::StrCat(" ", piece.text);
  return RunFrom(step + 1, {prefixed, piece.source, true}, call);
}

}  // namespace baton
