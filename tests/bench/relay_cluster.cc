#include "tests/bench/relay_cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace baton::bench {
namespace {

constexpr int kMaxTokens = 8;
constexpr auto kReadyTimeMax = std::chrono::minutes(2);
constexpr auto kAnswerTimeMax = std::chrono::minutes(2);

Instant After(Duration time) { return std::chrono::steady_clock::now() + time; }

int PortAtEndOf(absl::string_view text) {
  int port = 0;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  return absl::SimpleAtoi(parts.back(), &port) ? port : 0;
}

/// `path` is member names; null when one is missing.
const JsonValue* At(const JsonValue& json, const std::vector<absl::string_view>& path) {
  const JsonValue* at = &json;
  for (const absl::string_view name : path) {
    const JsonObject* object = at == nullptr ? nullptr : at->AsObject();
    at = object == nullptr ? nullptr : object->Find(name);
  }
  return at;
}

bool HoldsToken(const TimedEvent& event) {
  const JsonValue* choices = At(event.json, {"choices"});
  const JsonArray* array = choices == nullptr ? nullptr : choices->AsArray();
  if (array == nullptr || array->empty()) return false;
  const JsonValue* ids = At(array->front(), {"token_ids"});
  return ids != nullptr && ids->AsArray() != nullptr && !ids->AsArray()->empty();
}

/// The spans that the client sees.
absl::Status FillSeen(const std::vector<TimedEvent>& events, RelaySample& sample) {
  std::vector<Instant> tokens;
  for (const TimedEvent& event : events) {
    if (HoldsToken(event)) tokens.push_back(event.at);
  }
  if (tokens.size() < 4) {
    return absl::UnavailableError(absl::StrCat("only ", tokens.size(), " events with tokens"));
  }
  std::vector<double> steps;
  for (std::size_t i = 2; i < tokens.size(); ++i) {
    steps.push_back(ToMilliseconds(tokens[i] - tokens[i - 1]));
  }
  std::sort(steps.begin(), steps.end());
  sample.ms[static_cast<std::size_t>(RelaySpan::kGap)] = ToMilliseconds(tokens[1] - tokens[0]);
  sample.ms[static_cast<std::size_t>(RelaySpan::kStep)] = steps[steps.size() / 2];
  return absl::OkStatus();
}

/// The spans that the answer tells.
absl::Status FillTold(const JsonValue& handoff, RelaySample& sample) {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(RelaySpan::kCommit); ++i) {
    const JsonValue* value = At(handoff, {absl::StrCat(kRelaySpanNames[i], "_ms")});
    if (value == nullptr || !value->AsDouble(&sample.ms[i])) {
      return absl::UnavailableError(absl::StrCat("no ", kRelaySpanNames[i], "_ms in the budget"));
    }
  }
  const JsonValue* bytes = At(handoff, {"bytes"});
  const JsonValue* wire = At(handoff, {"wire"});
  if (bytes == nullptr || !bytes->AsInt(&sample.bytes) || wire == nullptr ||
      wire->AsString() == nullptr) {
    return absl::UnavailableError("no bytes or no wire in the budget");
  }
  sample.wire = *wire->AsString();
  return absl::OkStatus();
}

/// The value of an unlabelled or one-series metric in an exposition; 0 when it is not there.
double MetricIn(const std::string& exposition, absl::string_view name) {
  double sum = 0;
  for (const absl::string_view line : absl::StrSplit(exposition, '\n')) {
    double value = 0;
    if (!absl::StartsWith(line, name) || line.size() == name.size()) continue;
    if (line[name.size()] != ' ' && line[name.size()] != '{') continue;
    if (absl::SimpleAtod(line.substr(line.rfind(' ') + 1), &value)) sum += value;
  }
  return sum;
}

}  // namespace

absl::StatusOr<RelayCluster> RelayCluster::Start(const std::string& model,
                                                 const std::string& wire) {
  BATON_ASSIGN_OR_RETURN(std::unique_ptr<Subprocess> process,
                         Subprocess::Start({Beside("baton"), "up", model, "--port", "0", "--set",
                                            absl::StrCat("transfer.transports=[", wire, "]"),
                                            "--set", "observability.log_level=warn"}));
  const Instant deadline = After(kReadyTimeMax);
  int decode_port = 0;
  while (const std::optional<std::string> line = process->ReadLine(deadline)) {
    if (absl::StartsWith(*line, "decode-0")) decode_port = PortAtEndOf(*line);
    if (!absl::StartsWith(*line, "ready http://")) continue;
    BATON_ASSIGN_OR_RETURN(HttpStream client, HttpStream::Connect(PortAtEndOf(*line)));
    return RelayCluster(std::move(process), decode_port, std::move(client));
  }
  return absl::UnavailableError(
      absl::StrCat("`baton up ", model, "` over ", wire, " did not become ready; see above"));
}

absl::StatusOr<RelaySample> RelayCluster::Ask(const std::vector<int>& tokens) {
  const std::string body = absl::StrCat(
      R"({"temperature":0,"stream":true,"return_token_ids":true,"ignore_eos":true,)",
      R"("stream_options":{"include_usage":true},"return_handoff_budget":true,"max_tokens":)",
      kMaxTokens, R"(,"prompt":[)", absl::StrJoin(tokens, ","), "]}");
  BATON_ASSIGN_OR_RETURN(const std::vector<TimedEvent> events,
                         client_.Complete(body, After(kAnswerTimeMax)));
  RelaySample sample;
  BATON_RETURN_IF_ERROR(FillSeen(events, sample));
  const JsonValue* handoff = At(events.back().json, {"usage", "handoff"});
  if (handoff == nullptr) return absl::UnavailableError("the answer carries no budget");
  BATON_RETURN_IF_ERROR(FillTold(*handoff, sample));
  return sample;
}

absl::StatusOr<double> RelayCluster::AdmitMs() const {
  BATON_ASSIGN_OR_RETURN(HttpStream stream, HttpStream::Connect(decode_port_));
  BATON_ASSIGN_OR_RETURN(const std::string metrics, stream.Get("/metrics", After(kAnswerTimeMax)));
  const double count = MetricIn(metrics, "baton_handoff_admit_seconds_count");
  if (count == 0) return absl::UnavailableError("the decode worker admitted no hand-off");
  return 1e3 * MetricIn(metrics, "baton_handoff_admit_seconds_sum") / count;
}

}  // namespace baton::bench
