#include "tests/bench/load_bench.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/load_model.h"
#include "tests/bench/stopwatch.h"

namespace baton::bench {
namespace {

constexpr double kBar = 0.80;                               // of plain reading, cold
constexpr double kDriftMax = 1.5;                           // of two reads of a round
constexpr std::size_t kReadBytes = std::size_t{128} << 10;  // as cat reads

struct Files {
  std::vector<std::string> paths;
  std::size_t bytes = 0;
};

Files WeightsOf(const std::string& directory) {
  Files files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".safetensors") continue;
    files.paths.push_back(entry.path().string());
    files.bytes += entry.file_size(error);
  }
  std::sort(files.paths.begin(), files.paths.end());
  return files;
}

// Drops the files from the page cache. Needs no rights where nobody else maps or writes them; false
// when the system refuses.
bool MakeCold(const Files& files) {
  bool all = true;
  for (const std::string& path : files.paths) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    all = file >= 0 && posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0 && all;
    if (file >= 0) close(file);
  }
  return all;
}

double SecondsToRead(const Files& files) {
  const Stopwatch watch(Clock::kWall);
  std::vector<char> buffer(kReadBytes);
  for (const std::string& path : files.paths) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    while (file >= 0 && read(file, buffer.data(), buffer.size()) > 0) {
    }
    if (file >= 0) close(file);
  }
  return watch.Seconds();
}

// Bytes of this process that no file stands behind.
std::size_t AnonymousBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib << 10;
  }
  return 0;
}

struct Loaded {
  double seconds = -1;        // negative: it does not load
  std::size_t own_bytes = 0;  // beside what the files' pages hold
};

Loaded LoadOnce(const std::string& directory, const std::string& cache_directory = "") {
  ModelConfig config;
  config.path = directory;
  const std::size_t before = AnonymousBytes();
  const Stopwatch watch(Clock::kWall);
  const auto model = LoadModel(config, nullptr, cache_directory);
  Loaded loaded{watch.Seconds(), AnonymousBytes() - std::min(before, AnonymousBytes())};
  if (model.ok()) return loaded;
  std::fprintf(stderr, "error: %s\n", model.status().ToString().c_str());
  return {};
}

struct Arguments {
  std::string model;
  int rounds = 5;
};

bool Parse(int argc, char** argv, Arguments* arguments) {
  for (int i = 0; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--model") {
      arguments->model = argv[i + 1];
    } else if (name == "--rounds") {
      arguments->rounds = std::atoi(argv[i + 1]);
    } else {
      return false;
    }
  }
  return argc % 2 == 0 && !arguments->model.empty() && arguments->rounds > 0;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Cold: a read, two loads, a read, so that what drifts in a round meets both alike.
struct ColdRound {
  double read_seconds = 0;  // of both
  double load_seconds = 0;  // of both
  double drift = 0;         // of the slower read over the faster
};

// Negative load_seconds when the model does not load.
ColdRound RunCold(const std::string& directory, const Files& files) {
  MakeCold(files);
  const double before = SecondsToRead(files);
  MakeCold(files);
  const double first = LoadOnce(directory).seconds;
  MakeCold(files);
  const double second = LoadOnce(directory).seconds;
  MakeCold(files);
  const double after = SecondsToRead(files);
  if (first < 0 || second < 0) return {.load_seconds = -1};
  return {.read_seconds = before + after,
          .load_seconds = first + second,
          .drift = std::max(before, after) / std::min(before, after)};
}

// Warm loads, without and with a revision that an earlier start remembered.
bool RunWarm(const std::string& directory, const Files& files, int rounds) {
  std::string cache = (std::filesystem::temp_directory_path() / "baton-load-XXXXXX").string();
  if (mkdtemp(cache.data()) == nullptr) return false;
  bool loads = LoadOnce(directory, cache).seconds >= 0;
  const bool remembered = !std::filesystem::is_empty(cache);
  std::vector<double> plain;
  std::vector<double> recalled;
  std::size_t own = 0;
  for (int round = 0; loads && round < rounds; ++round) {
    const Loaded one = LoadOnce(directory);
    const Loaded other = LoadOnce(directory, cache);
    loads = one.seconds >= 0 && other.seconds >= 0;
    own = std::max(own, one.own_bytes);
    plain.push_back(one.seconds);
    recalled.push_back(other.seconds);
  }
  std::filesystem::remove_all(cache);
  if (!loads) return false;
  const double gigabytes = static_cast<double>(files.bytes) / 1e9;
  std::printf(
      "warm: every byte read %.3f s (%.2f GB/s); revision %s %.3f s; memory of its own %.1f "
      "of %.1f MB\n",
      Median(plain), gigabytes / Median(plain),
      remembered ? "remembered" : "not remembered (the files are too young)", Median(recalled),
      static_cast<double>(own) / 1e6, 1e3 * gigabytes);
  return true;
}

}  // namespace

int LoadBench(int argc, char** argv) {
  Arguments arguments;
  if (!Parse(argc, argv, &arguments)) {
    std::fprintf(stderr, "usage: baton bench load --model DIR [--rounds N]\n");
    return 2;
  }
  const Files files = WeightsOf(arguments.model);
  std::printf("%s: %zu files, %.2f GB\n", arguments.model.c_str(), files.paths.size(),
              static_cast<double>(files.bytes) / 1e9);
  if (!MakeCold(files)) std::printf("the page cache cannot be dropped here: not cold\n");
  std::vector<double> shares;
  std::vector<double> drifts;
  for (int round = 0; round < arguments.rounds; ++round) {
    const ColdRound cold = RunCold(arguments.model, files);
    if (cold.load_seconds < 0) return 2;
    const double gigabytes = 2 * static_cast<double>(files.bytes) / 1e9;
    shares.push_back(cold.read_seconds / cold.load_seconds);
    drifts.push_back(cold.drift);
    std::printf("cold: read %6.2f GB/s (twice: %.2f x apart)   load %6.2f GB/s   %3.0f %%\n",
                gigabytes / cold.read_seconds, cold.drift, gigabytes / cold.load_seconds,
                100 * shares.back());
  }
  if (!RunWarm(arguments.model, files, arguments.rounds)) return 2;
  std::printf("cold loading reaches %.0f %% of reading (median of %d; bar %.0f %%)\n",
              100 * Median(shares), arguments.rounds, 100 * kBar);
  if (Median(drifts) > kDriftMax) {
    std::printf(
        "void: two reads of one round are %.2f x apart (median); repeat on a calm machine\n",
        Median(drifts));
    return 3;
  }
  return Median(shares) >= kBar ? 0 : 1;
}

}  // namespace baton::bench
