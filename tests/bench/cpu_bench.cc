#include "tests/bench/cpu_bench.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/json.h"
#include "base/status.h"
#include "engine/load_model.h"
#include "engine/model/deepseek_json.h"
#include "tests/bench/machine_limits.h"
#include "tests/bench/step_rig.h"
#include "tests/bench/tiny_deepseek.h"

namespace baton::bench {
namespace {

constexpr double kDriftMax = 0.10;
constexpr double kSecondsACell = 0.5;
constexpr int kStepsMin = 5;

struct CpuOptions {
  std::string model;  // empty: the tiny one, weights made up
  std::string isa = "auto";
  int threads = 2;
  std::string json;  // file
  std::vector<StepSize> sizes;
};

struct Row {
  StepSize size;
  double tokens_per_s = 0;
  double ms = 0;
  double share = 0;  // of the floor that memory and arithmetic set; 0 = not of this model
  double drift = 0;

  bool decode() const { return size.rows == 1; }
  bool is_void() const { return drift > kDriftMax; }
};

std::vector<StepSize> AllSizes() {
  std::vector<StepSize> sizes;
  for (const int context : {512, 4096}) {
    for (const int sequences : {1, 4, 8, 16, 32}) sizes.push_back({sequences, 1, context});
  }
  for (const int context : {0, 4096}) sizes.push_back({1, 512, context});
  return sizes;
}

// "SEQUENCESxROWS@CONTEXT,..."
bool ParseSizes(absl::string_view text, std::vector<StepSize>* sizes) {
  sizes->clear();
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> numbers = absl::StrSplit(part, absl::ByAnyChar("x@"));
    StepSize size;
    if (numbers.size() != 3 || !absl::SimpleAtoi(numbers[0], &size.sequences) ||
        !absl::SimpleAtoi(numbers[1], &size.rows) || !absl::SimpleAtoi(numbers[2], &size.context) ||
        size.sequences < 1 || size.rows < 1 || size.context < 0) {
      return false;
    }
    sizes->push_back(size);
  }
  return true;
}

bool Parse(int argc, char** argv, CpuOptions* options) {
  options->sizes = AllSizes();
  for (int i = 1; i + 1 < argc; i += 2) {
    const absl::string_view flag = argv[i];
    const char* value = argv[i + 1];
    if (flag == "--model") {
      options->model = value;
    } else if (flag == "--isa") {
      options->isa = value;
    } else if (flag == "--json") {
      options->json = value;
    } else if (flag == "--steps") {
      if (!ParseSizes(value, &options->sizes)) return false;
    } else if (flag != "--threads" || !absl::SimpleAtoi(value, &options->threads)) {
      return false;
    }
  }
  return argc % 2 == 1 && options->threads >= 1;
}

absl::StatusOr<std::unique_ptr<Model>> LoadTiny() {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / absl::StrCat("baton-tiny-", getpid());
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "config.json") << kTinyDeepseek;
  ModelConfig config;
  config.path = directory.string();
  config.load_format = "dummy";
  auto model = LoadModel(config);
  std::filesystem::remove_all(directory);
  return model;
}

absl::StatusOr<std::unique_ptr<Model>> Load(const CpuOptions& options) {
  if (options.model.empty()) return LoadTiny();
  ModelConfig config;
  config.path = options.model;
  return LoadModel(config);
}

// The shape whose floor is known; nothing for another family.
std::optional<DeepseekConfig> ShapeOf(const CpuOptions& options) {
  std::string text = kTinyDeepseek;
  if (!options.model.empty()) {
    std::ifstream file(std::filesystem::path(options.model) / "config.json");
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  const absl::StatusOr<JsonValue> json = ParseJson(text);
  if (!json.ok() || json->AsObject() == nullptr) return std::nullopt;
  auto parsed = ParseDeepseekJson(*json->AsObject(), nullptr, DeepseekVersion::kV2);
  if (!parsed.ok()) return std::nullopt;
  return parsed->config;
}

// The median of steps after one to warm up.
absl::StatusOr<double> MedianSeconds(StepRig& rig, const StepSize& size) {
  BATON_RETURN_IF_ERROR(rig.Run(size).status());
  std::vector<double> seconds;
  double sum = 0;
  while (sum < kSecondsACell || seconds.size() < kStepsMin) {
    BATON_ASSIGN_OR_RETURN(const double one, rig.Run(size));
    seconds.push_back(one);
    sum += one;
  }
  std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
  return seconds[seconds.size() / 2];
}

double DriftOf(const MachineLimits& before, const MachineLimits& after) {
  const auto difference = [](double a, double b) { return std::abs(a - b) / std::max(a, b); };
  return std::max(difference(before.gflops, after.gflops),
                  difference(before.read_gb_per_s, after.read_gb_per_s));
}

class CpuRun {
 public:
  CpuRun(const CpuOptions& options, const Backend& backend)
      : options_(options), backend_(backend), shape_(ShapeOf(options)) {}

  absl::Status Run() {
    BATON_ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, Load(options_));
    BATON_ASSIGN_OR_RETURN(const std::unique_ptr<StepRig> rig,
                           StepRig::Open(*model, backend_, options_.threads, options_.sizes));
    limits_ = Limits();
    std::printf("%s, %d thread(s): products %.0f GFLOP/s, memory read %.1f GB/s\n", backend_.isa,
                options_.threads, limits_.gflops, limits_.read_gb_per_s);
    for (const StepSize& size : options_.sizes) {
      BATON_ASSIGN_OR_RETURN(Row row, Measure(*rig, size));
      if (row.is_void()) {
        BATON_ASSIGN_OR_RETURN(row, Measure(*rig, size));
      }
      Print(row);
      rows_.push_back(row);
    }
    return absl::OkStatus();
  }

  bool any_void() const {
    return std::any_of(rows_.begin(), rows_.end(), [](const Row& row) { return row.is_void(); });
  }

  std::string Json() const {
    JsonArray rows;
    for (const Row& row : rows_) {
      rows.emplace_back(MakeJson({{"workload", row.decode() ? "decode" : "prefill"},
                                  {"size", row.decode() ? row.size.sequences : row.size.rows},
                                  {"context", row.size.context},
                                  {"tokens_per_s", row.tokens_per_s},
                                  {"share", row.share},
                                  {"void", row.is_void()}}));
    }
    return WriteJson(MakeJson({{"isa", backend_.isa},
                               {"threads", options_.threads},
                               {"gflops", limits_.gflops},
                               {"read_gb_per_s", limits_.read_gb_per_s},
                               {"rows", std::move(rows)}}));
  }

 private:
  // The stream is gone before the steps run: two pools would share the processors.
  MachineLimits Limits() const {
    Stream stream(options_.threads);
    return MeasureLimits(backend_.isa, Clock::kWall, stream);
  }

  absl::StatusOr<Row> Measure(StepRig& rig, const StepSize& size) {
    const MachineLimits before = limits_;
    BATON_ASSIGN_OR_RETURN(const double seconds, MedianSeconds(rig, size));
    limits_ = Limits();
    Row row{.size = size,
            .tokens_per_s = size.sequences * size.rows / seconds,
            .ms = seconds * 1e3,
            .drift = DriftOf(before, limits_)};
    if (shape_.has_value()) {
      const Cost cost = StepCost(*shape_, size);
      const double floor =
          std::max(cost.bytes / std::max(before.read_gb_per_s, limits_.read_gb_per_s),
                   cost.flops / std::max(before.gflops, limits_.gflops));
      row.share = floor * 1e-9 / seconds;
    }
    return row;
  }

  static void Print(const Row& row) {
    std::printf(
        "%-8s %4d at %5d  %9.3f ms %9.0f tokens/s %5.0f %%%s\n",
        row.decode() ? "decode" : "prefill", row.decode() ? row.size.sequences : row.size.rows,
        row.size.context, row.ms, row.tokens_per_s, 100 * row.share,
        row.is_void()
            ? absl::StrFormat("   void: the machine changed by %.0f %%", 100 * row.drift).c_str()
            : "");
    std::fflush(stdout);
  }

  const CpuOptions& options_;
  const Backend& backend_;
  const std::optional<DeepseekConfig> shape_;
  MachineLimits limits_;
  std::vector<Row> rows_;
};

}  // namespace

int CpuBench(int argc, char** argv) {
  CpuOptions options;
  if (!Parse(argc, argv, &options)) {
    std::fprintf(stderr,
                 "usage: cpu [--model DIR] [--isa auto|avx512_bf16|avx512|avx2] [--threads N]\n"
                 "           [--steps SEQUENCESxROWS@CONTEXT,...] [--json FILE]\n");
    return 2;
  }
  const Backend* backend = CpuBackend(options.isa);
  if (backend == nullptr) {
    std::fprintf(stderr, "error: this machine cannot run isa %s; take avx2 or auto\n",
                 options.isa.c_str());
    return 2;
  }
  CpuRun run(options, *backend);
  if (const absl::Status status = run.Run(); !status.ok()) {
    std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
    return 2;
  }
  if (!options.json.empty() && !(std::ofstream(options.json) << run.Json() << "\n").flush()) {
    std::fprintf(stderr, "error: cannot write %s\n", options.json.c_str());
    return 2;
  }
  return run.any_void() ? 3 : 0;
}

}  // namespace baton::bench
