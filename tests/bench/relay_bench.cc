#include "tests/bench/relay_bench.h"

#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "tests/bench/relay_report.h"

namespace baton::bench {
namespace {

constexpr auto kTransferTimeMax = std::chrono::minutes(3);
constexpr int kWarmUps = 2;  // requests over each wire that are not counted

struct RelayOptions {
  std::string model = "builtin:recall-nano";
  int prompt = 1024;
  int requests = 24;
  int blocks = 4;
  bool json = false;
};

bool ReadOptions(int argc, char** argv, RelayOptions* options) {
  const std::map<std::string, int*> numbers = {{"--prompt", &options->prompt},
                                               {"--requests", &options->requests},
                                               {"--blocks", &options->blocks}};
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
    const auto number = numbers.find(name);
    if (name == "--json") {
      options->json = true;
    } else if (name == "--model" && value != nullptr) {
      options->model = argv[++i];
    } else if (number != numbers.end() && value != nullptr &&
               absl::SimpleAtoi(value, number->second) && *number->second >= 1) {
      ++i;
    } else {
      std::fprintf(stderr, "relay bench: %s: unknown, or without a value in range\n", argv[i]);
      return false;
    }
  }
  return true;
}

/// GB/s of each wire by `bench transfer`, in a process of its own: it forks before it opens a wire.
absl::StatusOr<std::map<std::string, double>> WireRates() {
  BATON_ASSIGN_OR_RETURN(
      const std::unique_ptr<Subprocess> bench,
      Subprocess::Start({Beside("baton-bench"), "transfer", "--json", "--rounds", "5"}));
  const std::optional<std::string> line =
      bench->ReadLine(std::chrono::steady_clock::now() + kTransferTimeMax);
  if (!line.has_value()) return absl::UnavailableError("`bench transfer` said nothing");
  BATON_ASSIGN_OR_RETURN(const JsonValue json, ParseJson(*line));
  std::map<std::string, double> rates;
  const JsonValue* rows = json.AsObject() ? json.AsObject()->Find("contestants") : nullptr;
  if (rows == nullptr || rows->AsArray() == nullptr) {
    return absl::UnavailableError("`bench transfer` told no contestants");
  }
  for (const JsonValue& row : *rows->AsArray()) {
    const JsonObject& object = *row.AsObject();
    if (*object.Find("what")->AsString() != "ucx validated") continue;
    object.Find("gigabytes_per_second")->AsDouble(&rates[*object.Find("wire")->AsString()]);
  }
  return rates;
}

std::vector<int> RandomPrompt(std::mt19937& random, int tokens) {
  std::vector<int> prompt;
  for (int i = 0; i < tokens; ++i) prompt.push_back(static_cast<int>(random() % 256));
  return prompt;
}

/// One cluster and what was measured on it.
struct Runner {
  RelayCluster cluster;
  WireFigures figures;
};

absl::Status RunBlock(const RelayOptions& options, int requests, std::mt19937& random,
                      Runner& runner) {
  for (int i = 0; i < requests; ++i) {
    BATON_ASSIGN_OR_RETURN(RelaySample sample,
                           runner.cluster.Ask(RandomPrompt(random, options.prompt)));
    if (sample.wire != runner.figures.wire) {
      return absl::UnavailableError(
          absl::StrCat("asked for ", runner.figures.wire, ", went over ", sample.wire));
    }
    runner.figures.samples.push_back(std::move(sample));
  }
  return absl::OkStatus();
}

/// Both wires, in turns: A B A B.
absl::StatusOr<std::vector<WireFigures>> RunWires(const RelayOptions& options) {
  BATON_ASSIGN_OR_RETURN(const auto rates, WireRates());
  std::vector<Runner> runners;
  for (const auto& [wire, rate] : rates) {
    BATON_ASSIGN_OR_RETURN(RelayCluster cluster, RelayCluster::Start(options.model, wire));
    runners.push_back({std::move(cluster), {wire, rate, 0, {}}});
  }
  std::mt19937 random(7);
  for (Runner& runner : runners) {
    BATON_RETURN_IF_ERROR(RunBlock(options, kWarmUps, random, runner));
    runner.figures.samples.clear();
  }
  for (int block = 0; block < options.blocks; ++block) {
    const int first = options.requests * block / options.blocks;
    const int last = options.requests * (block + 1) / options.blocks;
    for (Runner& runner : runners) {
      BATON_RETURN_IF_ERROR(RunBlock(options, last - first, random, runner));
    }
  }
  std::vector<WireFigures> figures;
  for (Runner& runner : runners) {
    BATON_ASSIGN_OR_RETURN(runner.figures.admit_ms, runner.cluster.AdmitMs());
    figures.push_back(std::move(runner.figures));
  }
  return figures;
}

}  // namespace

int RelayBench(int argc, char** argv) {
  RelayOptions options;
  if (!ReadOptions(argc, argv, &options)) return 2;
  RelayFigures figures;
  figures.model = options.model;
  figures.prompt_tokens = options.prompt;
  figures.before = Calibrate();
  absl::StatusOr<std::vector<WireFigures>> wires = RunWires(options);
  if (!wires.ok()) {
    std::fprintf(stderr, "relay bench: %s\n", wires.status().ToString().c_str());
    return 2;
  }
  figures.wires = *std::move(wires);
  figures.after = Calibrate();
  if (options.json) {
    PrintRelayJson(figures);
  } else {
    PrintRelayTable(figures);
  }
  if (figures.void_run()) return 3;
  return figures.met() ? 0 : 1;
}

}  // namespace baton::bench
