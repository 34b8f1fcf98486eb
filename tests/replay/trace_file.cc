#include "tests/replay/trace_file.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/json.h"
#include "base/status.h"
#include "tests/replay/trace_generator.h"
#include "tests/sim/sim_random.h"

namespace baton {
namespace {

constexpr std::int64_t kTokensMax = 16 << 20;
constexpr std::size_t kRequestsMax = 10'000'000;
constexpr double kTickSeconds = 3;
constexpr double kFanOutSeconds = 0.2;

absl::StatusOr<std::int64_t> Integer(const JsonObject& line, const char* name, std::int64_t least,
                                     std::int64_t most) {
  const JsonValue* member = line.Find(name);
  if (member == nullptr) return absl::InvalidArgumentError(absl::StrCat(name, " is missing"));
  std::int64_t value = 0;
  if (!member->AsInt(&value) || value < least || value > most) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: want an integer from %d to %d", name, least, most));
  }
  return value;
}

absl::StatusOr<TraceRequest> ParseLine(absl::string_view text) {
  BATON_ASSIGN_OR_RETURN(const JsonValue json, ParseJson(text));
  const JsonObject* line = json.AsObject();
  if (line == nullptr) return absl::InvalidArgumentError("want an object");
  BATON_ASSIGN_OR_RETURN(const std::int64_t ms, Integer(*line, "timestamp", 0, INT64_C(1) << 40));
  BATON_ASSIGN_OR_RETURN(const std::int64_t input, Integer(*line, "input_length", 1, kTokensMax));
  BATON_ASSIGN_OR_RETURN(const std::int64_t output, Integer(*line, "output_length", 1, kTokensMax));
  TraceRequest request;
  request.seconds = static_cast<double>(ms) / 1000;
  request.input_tokens = static_cast<int>(input);
  request.output_tokens = static_cast<int>(output);
  const JsonValue* ids = line->Find("hash_ids");
  const JsonArray* blocks = ids == nullptr ? nullptr : ids->AsArray();
  if (blocks == nullptr) return absl::InvalidArgumentError("hash_ids: want a list");
  for (const JsonValue& id : *blocks) {
    std::int64_t value = 0;
    if (!id.AsInt(&value) || value < 0) {
      return absl::InvalidArgumentError("hash_ids: want integers that are not negative");
    }
    request.blocks.push_back(static_cast<std::uint64_t>(value));
  }
  const std::int64_t want = (input + kTraceBlockTokens - 1) / kTraceBlockTokens;
  if (static_cast<std::int64_t>(blocks->size()) != want) {
    return absl::InvalidArgumentError(
        absl::StrFormat("hash_ids: %d ids, but input_length %d is %d blocks of %d tokens",
                        blocks->size(), input, want, kTraceBlockTokens));
  }
  return request;
}

double Share(SimRandom& random) { return static_cast<double>(random.Next() >> 11) * 0x1.0p-53; }

void SortByTime(Trace& trace) {
  std::stable_sort(trace.begin(), trace.end(), [](const TraceRequest& a, const TraceRequest& b) {
    return a.seconds < b.seconds;
  });
}

}  // namespace

absl::StatusOr<Trace> ParseTrace(absl::string_view name, absl::string_view text) {
  Trace trace;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const absl::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const auto refuse = [&](absl::string_view why) {
      return absl::InvalidArgumentError(absl::StrCat(name, ":", number, ": ", why));
    };
    absl::StatusOr<TraceRequest> request = ParseLine(line);
    if (!request.ok()) return refuse(request.status().message());
    if (!trace.empty() && request->seconds < trace.back().seconds) {
      return refuse("timestamp: before the line above's");
    }
    if (trace.size() == kRequestsMax) return refuse("more requests than a replay holds");
    trace.push_back(*std::move(request));
  }
  if (trace.empty()) return absl::InvalidArgumentError(absl::StrCat(name, ": no requests"));
  return trace;
}

absl::StatusOr<Trace> ReadTrace(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return ParseTrace(path, text);
}

absl::StatusOr<ConversationTrace> LoadConversationTrace() {
  const char* folder = std::getenv("BATON_TRACES");
  if (folder == nullptr) return ConversationTrace{GenerateConversations(1), false};
  BATON_ASSIGN_OR_RETURN(Trace trace, ReadTrace(absl::StrCat(folder, "/conversation_trace.jsonl")));
  return ConversationTrace{std::move(trace), true};
}

std::vector<std::uint64_t> TraceKeys(const TraceRequest& request, int page_tokens) {
  const int parts = kTraceBlockTokens / page_tokens;
  std::vector<std::uint64_t> keys;
  keys.reserve(static_cast<std::size_t>(request.input_tokens / page_tokens));
  for (int page = 0; page < request.input_tokens / page_tokens; ++page) {
    const std::uint64_t block = request.blocks[static_cast<std::size_t>(page / parts)];
    // A stranger's number for each part of the block: page keys are digests.
    SimRandom key((block << 10) + static_cast<std::uint64_t>(page % parts) + 1);
    keys.push_back(key.Next());
  }
  return keys;
}

Trace SpreadTicks(Trace trace, std::uint64_t seed) {
  SimRandom random(seed);
  for (TraceRequest& request : trace) request.seconds += kTickSeconds * Share(random);
  SortByTime(trace);
  return trace;
}

Trace FanOut(const Trace& trace, int times, std::uint64_t seed) {
  SimRandom random(seed);
  Trace all;
  for (const TraceRequest& request : trace) {
    for (int i = 0; i < times; ++i) {
      all.push_back(request);
      if (i > 0) all.back().seconds += kFanOutSeconds * Share(random);
    }
  }
  SortByTime(all);
  return all;
}

Trace AtSpeed(Trace trace, double speed) {
  for (TraceRequest& request : trace) request.seconds /= speed;
  return trace;
}

}  // namespace baton
