#include "server/text/chat_template.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/detokenizer.h"
#include "server/text/template_from_json.h"
#include "server/text/template_letters.h"
#include "server/text/template_lexer.h"
#include "server/text/template_parser.h"
#include "server/text/template_runner.h"

namespace baton {
namespace {

using Variables = std::vector<std::pair<absl::string_view, TemplateValue>>;

absl::StatusOr<TemplateTree> ReadTree(absl::string_view source) {
  if (source.size() > kTemplateSourceBytesMax) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("1: a chat template has at most %d bytes", kTemplateSourceBytesMax));
  }
  if (!IsWholeUtf8(source)) return absl::InvalidArgumentError("1: it is not UTF-8");
  BATON_ASSIGN_OR_RETURN(const std::vector<TemplateToken> tokens, LexTemplate(source));
  BATON_ASSIGN_OR_RETURN(TemplateTree tree, ParseTemplate(tokens));
  BATON_RETURN_IF_ERROR(BindTemplateScopes(tree.root));
  return tree;
}

// What a message says is null is not there, as in transformers: `content is defined` asks for it.
absl::StatusOr<TemplateValue> MessagesOf(const JsonValue& json, TemplateHeap& heap) {
  BATON_ASSIGN_OR_RETURN(const TemplateValue messages, ViewOfJson(json, heap));
  if (messages.list() == nullptr) return messages;
  std::vector<TemplateValue> said(messages.list()->items.begin(), messages.list()->items.end());
  for (TemplateValue& message : said) {
    if (message.dict() == nullptr) continue;
    std::vector<TemplateHeap::Member> members;
    for (const TemplateHeap::Member& member : message.dict()->members) {
      if (!member.second.none()) members.push_back(member);
    }
    if (members.size() < message.dict()->members.size()) message = heap.Dict(members);
  }
  return heap.List(said);
}

// In the order in which names are looked up.
absl::StatusOr<Variables> VariablesOf(const ChatInput& input, TemplateHeap& heap) {
  Variables variables;
  const auto add = [&](absl::string_view name, const TemplateValue& value) {
    variables.emplace_back(name, value);
  };
  BATON_ASSIGN_OR_RETURN(const TemplateValue messages, MessagesOf(input.messages, heap));
  BATON_ASSIGN_OR_RETURN(const TemplateValue tools, ViewOfJson(input.tools, heap));
  add("messages", messages);
  add("tools", tools);
  add("documents", TemplateValue(TemplateNone{}));
  add("add_generation_prompt", TemplateValue(input.add_generation_prompt));
  for (const auto& [name, json] : input.kwargs.members()) {
    BATON_ASSIGN_OR_RETURN(const TemplateValue value, ViewOfJson(json, heap));
    add(name, value);
  }
  for (const auto& [name, text] : input.special_tokens) add(name, heap.TextView(text, true));
  return variables;
}

// The text of the last message: its content, or its content's last text part; null: none.
const std::string* FinalText(const JsonValue& messages) {
  const JsonArray* array = messages.AsArray();
  if (array == nullptr || array->empty() || array->back().AsObject() == nullptr) return nullptr;
  const JsonValue* content = array->back().AsObject()->Find("content");
  if (content == nullptr) return nullptr;
  if (content->AsString() != nullptr) return content->AsString();
  const JsonArray* parts = content->AsArray();
  if (parts == nullptr) return nullptr;
  for (auto part = parts->rbegin(); part != parts->rend(); ++part) {
    const JsonObject* object = part->AsObject();
    const JsonValue* text = object == nullptr ? nullptr : object->Find("text");
    if (text != nullptr) return text->AsString();
  }
  return nullptr;
}

// Where the last message's text ends in what was rendered, with the white space after it that the
// template kept.
absl::StatusOr<std::size_t> EndOfFinalText(const ChatInput& input, absl::string_view rendered) {
  const std::string* text = FinalText(input.messages);
  if (text == nullptr) {
    return absl::InvalidArgumentError("continue_final_message: the last message has no text");
  }
  const absl::string_view from_left = StripLeft(*text);
  const absl::string_view bare = StripRight(from_left);
  const std::size_t found = rendered.rfind(bare);
  if (found == absl::string_view::npos) {
    return absl::InvalidArgumentError(
        "continue_final_message: the template does not print the last message as it is");
  }
  const bool whole = rendered.substr(found, from_left.size()) == *text;
  return found + (whole ? from_left.size() : bare.size());
}

std::vector<TextRun> CutAt(std::vector<TextRun> runs, std::size_t bytes) {
  std::vector<TextRun> kept;
  for (TextRun& run : runs) {
    if (bytes == 0) break;
    run.text.resize(std::min(run.text.size(), bytes));
    bytes -= run.text.size();
    kept.push_back(std::move(run));
  }
  return kept;
}

}  // namespace

struct ChatTemplate::Parsed {
  std::string source;
  TemplateTree tree;
};

ChatTemplate::ChatTemplate(std::unique_ptr<Parsed> parsed) : parsed_(std::move(parsed)) {}
ChatTemplate::ChatTemplate(ChatTemplate&& other) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&& other) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

absl::StatusOr<ChatTemplate> ChatTemplate::Parse(absl::string_view source,
                                                 absl::string_view origin) {
  absl::StatusOr<TemplateTree> tree = ReadTree(source);
  if (!tree.ok()) {
    return absl::Status(tree.status().code(),
                        absl::StrCat("chat template ", origin, ":", tree.status().message()));
  }
  auto parsed = std::make_unique<Parsed>();
  parsed->source = std::string(source);
  parsed->tree = *std::move(tree);
  return ChatTemplate(std::move(parsed));
}

absl::StatusOr<std::vector<TextRun>> ChatTemplate::Render(const ChatInput& input) const {
  TemplateHeap heap;
  BATON_ASSIGN_OR_RETURN(const Variables variables, VariablesOf(input, heap));
  TemplateTextBuilder out = NewTextBuilder();
  BATON_RETURN_IF_ERROR(TemplateRunner(heap, input.now, variables).Run(parsed_->tree.root, out));
  if (!input.continue_final_message) return out.TakeRuns();
  BATON_ASSIGN_OR_RETURN(const std::size_t end, EndOfFinalText(input, out.bytes()));
  return CutAt(out.TakeRuns(), end);
}

const std::string& ChatTemplate::source() const { return parsed_->source; }

std::string JoinRuns(const std::vector<TextRun>& runs) {
  std::string text;
  for (const TextRun& run : runs) text += run.text;
  return text;
}

}  // namespace baton
