// How conversations of one model become prompts, and how its answers are read: the chat template,
// the tokenizer's special tokens, the markup of tool calls, the marks of a thought. Read once, when
// a front door starts.
//
// Thread: any; immutable once loaded.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "server/text/chat_template.h"
#include "server/text/tool_call_markup.h"

namespace baton {

class ChatFormat {
 public:
  /// `builtin:...` has a template of its own. A directory: `model.chat_template`, a file, comes
  /// before chat_template.jinja, which comes before tokenizer_config.json's `chat_template` (a
  /// text, or a list by name: `default`, and `tool_use` for calls with tools). A directory without
  /// any has no chat, and Render says so.
  /// Errors: NotFound and InvalidArgument with file, line and construct.
  static absl::StatusOr<ChatFormat> Load(const ModelConfig& model, const ServerConfig& server);

  /// The prompt of a conversation; `input.special_tokens` are filled in here, and the arguments of
  /// tool calls are given as the template takes them: parsed, or as text.
  /// Errors: as ChatTemplate::Render; InvalidArgument for arguments that are not JSON, and when
  /// the model has no template.
  absl::StatusOr<std::vector<TextRun>> Render(ChatInput input) const;

  ToolCallMarkup tool_calls() const { return tool_calls_; }
  bool splits_reasoning() const { return splits_reasoning_; }

 private:
  absl::Status LoadTemplates(const ModelConfig& model, const JsonObject& tokenizer_config);
  absl::Status LoadNamed(const JsonArray& templates, const std::string& file);
  absl::Status Keep(absl::string_view source, const std::string& origin);
  void FindArgumentsForm();

  std::optional<ChatTemplate> default_;
  std::optional<ChatTemplate> tool_use_;
  std::vector<std::pair<std::string, std::string>> special_tokens_;
  bool arguments_as_text_ = false;
  ToolCallMarkup tool_calls_ = ToolCallMarkup::kNone;
  bool splits_reasoning_ = false;
};

}  // namespace baton
