// A model's chat template: from a conversation to the prompt that the model was trained on, as runs
// of text that know whether the template wrote them or the request brought them.
//
// Our own interpreter of the part of Jinja that chat templates use, in the environment that
// transformers gives them (trim_blocks, lstrip_blocks, its tojson, its sandbox). Values are data
// and nothing else, every cost is bounded (template_limits.h), and what is not supported is refused
// when the template is loaded.
//
// Thread: any; immutable once parsed. Rendering is a function of its arguments.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/json.h"
#include "server/text/template_clock.h"
#include "server/text/text_run.h"

namespace baton {

/// What a conversation gives to a template. Names in `kwargs` hide everything else of that name but
/// what stands here.
struct ChatInput {
  JsonValue messages;  // an array of objects
  JsonValue tools;     // an array, or null
  JsonObject kwargs;   // the client's chat_template_kwargs
  bool add_generation_prompt = true;
  bool continue_final_message = false;  // cut after the last message's text, to go on from there

  /// bos_token, eos_token, ...: the tokenizer's, so trusted. One that it lacks is undefined.
  std::vector<std::pair<std::string, std::string>> special_tokens;
  TemplateClock now;  // of strftime_now
};

class ChatTemplate {
 public:
  /// `origin` names the template in errors: a file, or "tokenizer_config.json".
  /// Errors: InvalidArgument `origin:line: what`, ResourceExhausted over the size limit.
  static absl::StatusOr<ChatTemplate> Parse(absl::string_view source, absl::string_view origin);

  ChatTemplate(ChatTemplate&& other) noexcept;
  ChatTemplate& operator=(ChatTemplate&& other) noexcept;
  ~ChatTemplate();

  /// The prompt; neighbouring runs differ in trust, none is empty.
  /// Errors: InvalidArgument for a conversation that the template cannot take (the message is
  /// raise_exception's where it raised one); ResourceExhausted at a limit.
  absl::StatusOr<std::vector<TextRun>> Render(const ChatInput& input) const;

  /// As it was given to Parse.
  const std::string& source() const;

 private:
  struct Parsed;
  explicit ChatTemplate(std::unique_ptr<Parsed> parsed);

  std::unique_ptr<Parsed> parsed_;
};

/// The runs' text, one after another.
std::string JoinRuns(const std::vector<TextRun>& runs);

}  // namespace baton
