// Renders chat templates for a test in another language: a JSON object a line in, one out.
//
//   {"template": ..., "messages": [...], "tools": ..., "kwargs": {...}, "add_generation_prompt": b}
//   {"text": ...}  or  {"error": ..., "at": "load" | "run"}
//
// With --time N each line is rendered N times, and {"text", "microseconds": of the fastest} comes
// out.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <string>

#include "server/text/chat_template.h"

namespace baton {
namespace {

using Clock = std::chrono::steady_clock;

const JsonValue& Member(const JsonObject& object, absl::string_view name) {
  static const JsonValue kNull;
  const JsonValue* value = object.Find(name);
  return value == nullptr ? kNull : *value;
}

ChatInput InputOf(const JsonObject& line) {
  ChatInput input;
  input.messages = Member(line, "messages");
  input.tools = Member(line, "tools");
  if (Member(line, "kwargs").AsObject() != nullptr)
    input.kwargs = *Member(line, "kwargs").AsObject();
  const bool* prompt = Member(line, "add_generation_prompt").AsBool();
  input.add_generation_prompt = prompt == nullptr || *prompt;
  input.special_tokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  input.now = {2026, 3, 9, 14, 5, 6};
  return input;
}

JsonObject Failed(const absl::Status& status, const char* at) {
  return MakeJson({{"error", absl::string_view(status.message())}, {"at", at}});
}

JsonObject Answer(const JsonObject& line, int times) {
  const std::string* source = Member(line, "template").AsString();
  const auto parsed = ChatTemplate::Parse(source == nullptr ? "" : *source, "given");
  if (!parsed.ok()) return Failed(parsed.status(), "load");
  const ChatInput input = InputOf(line);
  auto fastest = std::numeric_limits<std::int64_t>::max();
  for (int i = 0;; ++i) {
    const Clock::time_point begin = Clock::now();
    const auto runs = parsed->Render(input);
    const auto spent = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
    fastest = std::min<std::int64_t>(fastest, spent.count());
    if (!runs.ok()) return Failed(runs.status(), "run");
    if (i + 1 < times) continue;
    JsonObject answer = MakeJson({{"text", JoinRuns(*runs)}});
    if (times > 1) answer.Insert("microseconds", fastest);
    return answer;
  }
}

int Main(int argc, char** argv) {
  const int times = argc == 3 && std::string(argv[1]) == "--time" ? std::atoi(argv[2]) : 1;
  for (std::string text; std::getline(std::cin, text);) {
    const absl::StatusOr<JsonValue> line = ParseJson(text);
    if (!line.ok() || line->AsObject() == nullptr) {
      std::cerr << "not a JSON object: " << line.status() << "\n";
      return 1;
    }
    std::cout << WriteJson(Answer(*line->AsObject(), times)) << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) { return baton::Main(argc, argv); }
