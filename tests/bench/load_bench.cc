#include "tests/bench/load_bench.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/load_model.h"
#include "tests/bench/stopwatch.h"

namespace baton::bench {
namespace {

constexpr double kBar = 0.80;                               // of plain reading, cold
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

// Negative when the model does not load.
double SecondsToLoad(const std::string& directory) {
  ModelConfig config;
  config.path = directory;
  const Stopwatch watch(Clock::kWall);
  const auto model = LoadModel(config);
  if (model.ok()) return watch.Seconds();
  std::fprintf(stderr, "error: %s\n", model.status().ToString().c_str());
  return -1;
}

struct Arguments {
  std::string model;
  int rounds = 3;
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
  std::vector<double> shares;
  for (int round = 0; round < arguments.rounds; ++round) {
    const bool dropped = MakeCold(files);
    const double read = SecondsToRead(files);
    MakeCold(files);
    const double cold = SecondsToLoad(arguments.model);
    const double warm = SecondsToLoad(arguments.model);
    if (cold < 0 || warm < 0) return 2;
    if (!dropped && round == 0) std::printf("the page cache cannot be dropped here: not cold\n");
    const double gigabytes = static_cast<double>(files.bytes) / 1e9;
    std::printf("read %6.2f GB/s   load cold %6.2f GB/s (%3.0f %%)   load warm %6.2f GB/s\n",
                gigabytes / read, gigabytes / cold, 100 * read / cold, gigabytes / warm);
    shares.push_back(read / cold);
  }
  std::printf("cold loading reaches %.0f %% of reading (median; bar %.0f %%)\n",
              100 * Median(shares), 100 * kBar);
  return Median(shares) >= kBar ? 0 : 1;
}

}  // namespace baton::bench
