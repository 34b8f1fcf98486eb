#include "tests/bench/trace_bench.h"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "base/status.h"
#include "tests/replay/trace_cluster.h"
#include "tests/replay/trace_report.h"

namespace baton::bench {
namespace {

constexpr const char* kUsage =
    "want FILE [--policy NAME] [--routers N] [--prefill N] [--decode N | --prefill-only]\n"
    "  [--pages N] [--page TOKENS] [--step TOKENS] [--tokens-per-second N] [--speed X]\n"
    "  [--spread-ticks] [--fan-out N] [--noise X] [--seed N]\n"
    "  [--json FILE] [--csv FILE] [--plots FOLDER]\n"
    "  FILE: Mooncake's JSONL, or \"conversation\": the one in BATON_TRACES, or generated";

const std::map<std::string, RoutePolicy>& Policies() {
  static const std::map<std::string, RoutePolicy> policies = {
      {"predicted_ttft", RoutePolicy::kPredictedTtft},
      {"cache_aware", RoutePolicy::kCacheAware},
      {"power_of_two", RoutePolicy::kPowerOfTwo},
      {"round_robin", RoutePolicy::kRoundRobin},
      {"random", RoutePolicy::kRandom},
      {"longest_match", RoutePolicy::kLongestMatch}};
  return policies;
}

struct Arguments {
  std::string file;
  TraceOptions options;
  double speed = 1;
  int fan_out = 1;
  bool spread = false;
  std::string json;
  std::string csv;
  std::string plots;
};

absl::Status Wrong(const std::string& flag) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": ", kUsage));
}

// A count of at least 1 into `to`.
absl::Status Count(const std::string& flag, const char* value, int* to) {
  return absl::SimpleAtoi(value, to) && *to >= 1 ? absl::OkStatus() : Wrong(flag);
}

absl::Status Ratio(const std::string& flag, const char* value, double* to) {
  return absl::SimpleAtod(value, to) && *to >= 0 && *to < 1e9 ? absl::OkStatus() : Wrong(flag);
}

bool IsSwitch(const std::string& flag, Arguments& arguments) {
  if (flag == "--spread-ticks") arguments.spread = true;
  if (flag == "--prefill-only") arguments.options.decode = 0;
  return flag == "--spread-ticks" || flag == "--prefill-only";
}

absl::Status Take(const std::string& flag, const char* value, Arguments& arguments) {
  TraceOptions& options = arguments.options;
  const std::map<std::string, int*> counts = {
      {"--routers", &options.routers},      {"--prefill", &options.prefill},
      {"--decode", &options.decode},        {"--page", &options.page_tokens},
      {"--step", &options.step_tokens_max}, {"--fan-out", &arguments.fan_out}};
  const std::map<std::string, std::string*> paths = {
      {"--json", &arguments.json}, {"--csv", &arguments.csv}, {"--plots", &arguments.plots}};
  if (const auto count = counts.find(flag); count != counts.end()) {
    return Count(flag, value, count->second);
  }
  if (const auto path = paths.find(flag); path != paths.end()) {
    *path->second = value;
    return absl::OkStatus();
  }
  int number = 0;
  double ratio = 0;
  if (flag == "--policy") {
    const auto policy = Policies().find(value);
    if (policy == Policies().end()) return Wrong(flag);
    options.router.policy = policy->second;
    return absl::OkStatus();
  }
  if (flag == "--speed") return Ratio(flag, value, &arguments.speed);
  if (flag == "--noise") return Ratio(flag, value, &options.noise);
  if (flag == "--tokens-per-second") {
    BATON_RETURN_IF_ERROR(Ratio(flag, value, &ratio));
    options.prefill_cost.per_token = 1 / std::max(1.0, ratio);
    return absl::OkStatus();
  }
  BATON_RETURN_IF_ERROR(Count(flag, value, &number));
  if (flag == "--pages") {
    options.prefill_pages = options.decode_pages = static_cast<std::uint32_t>(number);
  } else if (flag == "--seed") {
    options.seed = static_cast<std::uint64_t>(number);
  } else {
    return Wrong(flag);
  }
  return absl::OkStatus();
}

absl::StatusOr<Arguments> Parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag.rfind("--", 0) != 0) {
      if (!arguments.file.empty()) return Wrong(flag);
      arguments.file = flag;
    } else if (!IsSwitch(flag, arguments)) {
      if (i + 1 == argc) return Wrong(flag);
      BATON_RETURN_IF_ERROR(Take(flag, argv[++i], arguments));
    }
  }
  const TraceOptions& options = arguments.options;
  const bool pages = kTraceBlockTokens % options.page_tokens == 0 &&
                     options.step_tokens_max >= options.page_tokens;
  if (arguments.file.empty() || !pages || arguments.speed <= 0 || options.noise >= 1) {
    return Wrong("arguments");
  }
  return arguments;
}

absl::StatusOr<Trace> TraceFor(const Arguments& arguments) {
  Trace trace;
  if (arguments.file == "conversation") {
    BATON_ASSIGN_OR_RETURN(ConversationTrace conversation, LoadConversationTrace());
    trace = std::move(conversation.requests);
  } else {
    BATON_ASSIGN_OR_RETURN(trace, ReadTrace(arguments.file));
  }
  if (arguments.spread) trace = SpreadTicks(std::move(trace), arguments.options.seed);
  if (arguments.fan_out > 1) trace = FanOut(trace, arguments.fan_out, arguments.options.seed);
  return AtSpeed(std::move(trace), arguments.speed);
}

absl::Status Write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return file ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("cannot write ", path));
}

absl::Status Report(const Arguments& arguments, const TraceRun& run) {
  const TraceFigures figures = FiguresOf(run);
  const std::string json = WriteJson(JsonValue(JsonOf(figures)));
  std::printf("%s\n", json.c_str());
  if (!arguments.json.empty()) BATON_RETURN_IF_ERROR(Write(arguments.json, json + "\n"));
  if (!arguments.csv.empty()) BATON_RETURN_IF_ERROR(Write(arguments.csv, CsvOf(run)));
  if (arguments.plots.empty()) return absl::OkStatus();
  const TracePlots plots = PlotsOf(run);
  BATON_RETURN_IF_ERROR(Write(arguments.plots + "/ttft.svg", plots.ttft));
  BATON_RETURN_IF_ERROR(Write(arguments.plots + "/load.svg", plots.load));
  return Write(arguments.plots + "/hits.svg", plots.hits);
}

absl::Status Run(int argc, char** argv) {
  BATON_ASSIGN_OR_RETURN(const Arguments arguments, Parse(argc, argv));
  BATON_ASSIGN_OR_RETURN(const Trace trace, TraceFor(arguments));
  return Report(arguments, TraceCluster(arguments.options, trace).Run());
}

}  // namespace

int TraceBench(int argc, char** argv) {
  const absl::Status status = Run(argc, argv);
  if (status.ok()) return 0;
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  return 2;
}

}  // namespace baton::bench
