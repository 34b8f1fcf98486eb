// Finds calls of tools in an answer as it streams: text, then a call's name, then its arguments in
// pieces whose concatenation is what the model wrote. Markup that turns out to be none is text
// after all: nothing that the model said is lost.
//
//          opener              head read               arguments balanced          tail read
//   kText --------> kHead ------------------> kArguments ----------------> kTail ------------>
//   kText
//     ^---------------'  failed: it was text                                '--- failed: text --^
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/text/tool_call_markup.h"

namespace baton {

/// One piece of an answer, in order.
struct AnswerPiece {
  enum class Kind { kContent, kCall, kArguments };
  Kind kind = Kind::kContent;
  int call = 0;      // which one, from 0: kCall, kArguments
  std::string text;  // content, the call's name, or arguments
};

class ToolCallParser {
 public:
  /// `calls_max`: calls after so many are left out.
  ToolCallParser(ToolCallMarkup markup, int calls_max) : markup_(markup), calls_max_(calls_max) {}

  void Append(absl::string_view text, std::vector<AnswerPiece>& pieces);

  /// The answer is over: what was held back, as text if no call came of it.
  void Flush(std::vector<AnswerPiece>& pieces);

  /// Calls that were begun.
  int calls() const { return calls_; }

 private:
  enum class State { kText, kHead, kArguments, kTail };

  bool Step(std::vector<AnswerPiece>& pieces);
  bool StepText(std::vector<AnswerPiece>& pieces);
  bool StepLlamaText(std::vector<AnswerPiece>& pieces);
  bool StepHead(std::vector<AnswerPiece>& pieces);
  bool StepArguments(std::vector<AnswerPiece>& pieces);
  bool StepTail();
  void Say(absl::string_view text, std::vector<AnswerPiece>& pieces);
  void SayArguments(absl::string_view text, std::vector<AnswerPiece>& pieces);

  const ToolCallMarkup markup_;
  const int calls_max_;
  State state_ = State::kText;
  std::string held_;    // not yet told, from the opener's first byte in kHead
  std::string space_;   // white space after a call: told only before other text
  bool plain_ = false;  // Llama: the answer is text, a brace no longer opens a call
  int calls_ = 0;
  int depth_ = 0;  // of the arguments' brackets
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace baton
