#include "server/openai/chat_delta.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/openai/random_bits.h"

namespace baton {
namespace {

using Kind = AnswerPiece::Kind;

JsonObject CallJson(const std::string& id, const std::string& name, const std::string& arguments) {
  return MakeJson({{"id", id},
                   {"type", "function"},
                   {"function", MakeJson({{"name", name}, {"arguments", arguments}})}});
}

// The arguments that follow a call in one delta ride in its entry.
std::string TakeArguments(const std::vector<AnswerPiece>& pieces, std::size_t& at) {
  const bool follow = at + 1 < pieces.size() && pieces[at + 1].kind == Kind::kArguments;
  return follow ? pieces[++at].text : std::string();
}

}  // namespace

std::string NewToolCallId() {
  return absl::StrCat("call_", absl::Hex(RandomBits(), absl::kZeroPad16));
}

JsonObject ChatDeltaJson(const ChatAnswerDelta& delta, const std::function<std::string()>& new_id) {
  JsonObject json;
  std::string content;
  JsonArray calls;
  for (std::size_t i = 0; i < delta.pieces.size(); ++i) {
    const AnswerPiece& piece = delta.pieces[i];
    if (piece.kind == Kind::kContent) {
      content += piece.text;
      continue;
    }
    JsonObject entry = MakeJson({{"index", piece.call}});
    if (piece.kind == Kind::kCall) {
      const std::string arguments = TakeArguments(delta.pieces, i);
      const JsonObject call = CallJson(new_id(), piece.text, arguments);
      for (const auto& [name, value] : call.members()) entry.Insert(name, value);
    } else {
      entry.Insert("function", MakeJson({{"arguments", piece.text}}));
    }
    calls.push_back(std::move(entry));
  }
  const bool silent = delta.reasoning.empty() && calls.empty();
  if (!content.empty() || silent) json.Insert("content", std::move(content));
  if (!delta.reasoning.empty()) json.Insert("reasoning_content", delta.reasoning);
  if (!calls.empty()) json.Insert("tool_calls", std::move(calls));
  return json;
}

void ChatMessageParts::Add(const ChatAnswerDelta& delta,
                           const std::function<std::string()>& new_id) {
  reasoning_ += delta.reasoning;
  for (const AnswerPiece& piece : delta.pieces) {
    if (piece.kind == Kind::kContent) {
      content_ += piece.text;
    } else if (piece.kind == Kind::kCall) {
      calls_.push_back({new_id(), piece.text, {}});
    } else {
      calls_.back().arguments += piece.text;
    }
  }
}

JsonObject ChatMessageParts::TakeMessage() {
  JsonObject message = MakeJson({{"role", "assistant"}});
  const bool only_calls = content_.empty() && !calls_.empty();
  message.Insert("content", only_calls ? JsonValue(nullptr) : JsonValue(std::move(content_)));
  message.Insert("refusal", nullptr);
  if (!reasoning_.empty()) message.Insert("reasoning_content", std::move(reasoning_));
  if (calls_.empty()) return message;
  JsonArray calls;
  for (const Call& call : calls_) calls.push_back(CallJson(call.id, call.name, call.arguments));
  message.Insert("tool_calls", std::move(calls));
  return message;
}

}  // namespace baton
