#include "tests/bench/transfer_bench.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "base/json.h"
#include "base/status.h"
#include "kvtransfer/transfer_probe.h"
#include "kvtransfer/ucx_transport.h"
#include "tests/bench/forked_peer.h"
#include "tests/bench/socket_stream.h"

namespace baton {
namespace {

constexpr double kShmBar = 0.50;  // of a scattered copy by one thread
constexpr double kTcpBar = 0.75;  // of a plain socket stream
constexpr auto kRunTimeMax = std::chrono::minutes(5);
// As a hand-off cuts pages of MLA layers of 72 KiB (kvtransfer/piece_plan.h).
constexpr std::uint32_t kShmFrameBytes = 36 * 1024;
constexpr std::uint32_t kTcpFrameBytes = 3 * 72 * 1024;

struct BenchOptions {
  int rounds = 7;
  int mib = 256;
  std::uint32_t frame_bytes = 0;             // 0: what serving takes on that wire
  std::uint32_t page_bytes = 4 * 72 * 1024;  // 4 layers of MLA in bf16
  bool json = false;

  ProbeShape Shape(absl::string_view wire) const {
    const auto bytes = static_cast<std::uint64_t>(mib) << 20;
    const std::uint32_t best = wire == "shm" ? kShmFrameBytes : kTcpFrameBytes;
    return {static_cast<std::uint32_t>(bytes / page_bytes), page_bytes,
            frame_bytes > 0 ? frame_bytes : best, Milliseconds(1)};
  }
};

/// One way to move all pages once.
struct Contestant {
  std::string name;
  std::string wire;
  std::function<absl::Status(const std::vector<std::uint32_t>& order)> run;
  std::vector<double> gigabytes_per_second;

  double Median() const {
    std::vector<double> sorted = gigabytes_per_second;
    std::sort(sorted.begin(), sorted.end());
    return sorted.empty() ? 0 : sorted[sorted.size() / 2];
  }
};

UcxOptions OnlyWire(absl::string_view wire) {
  UcxOptions options;
  options.shm = wire == "shm";
  options.tcp = wire == "tcp";
  return options;
}

Instant RunEnd() { return std::chrono::steady_clock::now() + kRunTimeMax; }

/// The receiving process of a UCX contestant.
std::unique_ptr<ForkedPeer> ForkUcx(absl::string_view wire, const ProbeShape& shape) {
  return std::make_unique<ForkedPeer>([=](const ForkedPeer::Tell& tell) {
    const auto transport = MakeUcxTransport(OnlyWire(wire));
    if (!transport.ok()) return 1;
    TransferProbe probe(**transport, shape);
    probe.Poison();  // touches the arena
    tell((*transport)->address());
    return probe.Serve({}, RunEnd()).ok() ? 0 : 1;
  });
}

std::unique_ptr<ForkedPeer> ForkSocket(std::size_t bytes, int rounds) {
  return std::make_unique<ForkedPeer>([=](const ForkedPeer::Tell& tell) {
    SocketStream stream;
    const auto port = stream.Listen();
    if (!port.ok()) return 1;
    tell(absl::StrFormat("%d", *port));
    if (!stream.Accept().ok()) return 1;
    for (int round = 0; round < rounds; ++round) {
      if (!stream.Take(bytes).ok()) return 1;
    }
    return 0;
  });
}

/// The sending half over UCX, and its end of the wire.
class UcxContestant {
 public:
  UcxContestant(std::unique_ptr<ForkedPeer> peer, const ProbeShape& shape)
      : peer_(std::move(peer)), shape_(shape) {}

  absl::Status Open(absl::string_view wire) {
    BATON_ASSIGN_OR_RETURN(transport_, MakeUcxTransport(OnlyWire(wire)));
    probe_ = std::make_unique<TransferProbe>(*transport_, shape_);
    probe_->Fill(1);
    BATON_RETURN_IF_ERROR(probe_->Open(peer_->Told(), RunEnd()));
    return CheckWire(probe_->Describe(), wire);
  }
  absl::Status Push(const std::vector<std::uint32_t>& order) {
    return probe_->Push(order, RunEnd());
  }

 private:
  std::unique_ptr<ForkedPeer> peer_;
  ProbeShape shape_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<TransferProbe> probe_;
};

/// Everything that is measured, opened. Forks before it opens anything of its own.
class Field {
 public:
  explicit Field(const BenchOptions& options)
      : options_(options),
        pages_(options.Shape("").pages),
        bytes_(std::size_t{pages_} * options.page_bytes),
        socket_peer_(ForkSocket(bytes_, options.rounds + 1)),
        shm_(ForkUcx("shm", options.Shape("shm")), options.Shape("shm")),
        tcp_(ForkUcx("tcp", options.Shape("tcp")), options.Shape("tcp")) {}

  absl::Status Open() {
    StayOnProcessor(0);
    source_.assign(bytes_, std::byte{1});
    target_.assign(bytes_, std::byte{2});
    int port = 0;
    if (!absl::SimpleAtoi(socket_peer_->Told(), &port)) {
      return absl::UnavailableError("the socket's peer did not start");
    }
    BATON_RETURN_IF_ERROR(socket_.Connect(static_cast<std::uint16_t>(port)));
    BATON_RETURN_IF_ERROR(shm_.Open("shm"));
    BATON_RETURN_IF_ERROR(tcp_.Open("tcp"));
    using Order = std::vector<std::uint32_t>;
    contestants_ = {
        {"scattered copy", "memory", [this](const Order& order) { return Copy(order); }, {}},
        {"ucx validated", "shm", [this](const Order& order) { return shm_.Push(order); }, {}},
        {"plain socket", "tcp", [this](const Order&) { return socket_.Push(source_); }, {}},
        {"ucx validated", "tcp", [this](const Order& order) { return tcp_.Push(order); }, {}}};
    return absl::OkStatus();
  }

  /// One untimed round, then the timed ones, every contestant once a round.
  absl::Status Run() {
    std::vector<std::uint32_t> order(pages_);
    std::iota(order.begin(), order.end(), 0);
    std::mt19937 random(7);
    for (int round = 0; round <= options_.rounds; ++round) {
      std::shuffle(order.begin(), order.end(), random);
      for (Contestant& contestant : contestants_) {
        const Instant start = std::chrono::steady_clock::now();
        BATON_RETURN_IF_ERROR(contestant.run(order));
        const double seconds = ToSeconds(std::chrono::steady_clock::now() - start);
        if (round == 0) continue;
        contestant.gigabytes_per_second.push_back(static_cast<double>(bytes_) / seconds / 1e9);
      }
    }
    return absl::OkStatus();
  }

  const std::vector<Contestant>& contestants() const { return contestants_; }

 private:
  absl::Status Copy(const std::vector<std::uint32_t>& order) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::size_t from = std::size_t{order[i]} * options_.page_bytes;
      const std::size_t to = std::size_t{order[order.size() - 1 - i]} * options_.page_bytes;
      std::memcpy(target_.data() + to, source_.data() + from, options_.page_bytes);
    }
    return absl::OkStatus();
  }

  const BenchOptions options_;
  const std::uint32_t pages_;
  const std::size_t bytes_;
  std::unique_ptr<ForkedPeer> socket_peer_;
  UcxContestant shm_;
  UcxContestant tcp_;
  SocketStream socket_;
  std::vector<std::byte> source_;
  std::vector<std::byte> target_;
  std::vector<Contestant> contestants_;
};

struct Verdict {
  double shm_share;
  double tcp_share;
  bool met() const { return shm_share >= kShmBar && tcp_share >= kTcpBar; }
};

void PrintTable(const std::vector<Contestant>& contestants, const Verdict& verdict) {
  std::printf("%-16s %-8s %10s %10s %10s\n", "what", "wire", "GB/s", "least", "most");
  for (const Contestant& one : contestants) {
    const auto [least, most] =
        std::minmax_element(one.gigabytes_per_second.begin(), one.gigabytes_per_second.end());
    std::printf("%-16s %-8s %10.2f %10.2f %10.2f\n", one.name.c_str(), one.wire.c_str(),
                one.Median(), *least, *most);
  }
  std::printf("shm is %.0f %% of the scattered copy (bar %.0f %%)\n", 100 * verdict.shm_share,
              100 * kShmBar);
  std::printf("tcp is %.0f %% of the plain socket (bar %.0f %%)\n", 100 * verdict.tcp_share,
              100 * kTcpBar);
}

void PrintJson(const std::vector<Contestant>& contestants, const Verdict& verdict) {
  JsonArray rows;
  for (const Contestant& one : contestants) {
    JsonArray samples;
    for (const double sample : one.gigabytes_per_second) samples.emplace_back(sample);
    rows.emplace_back(MakeJson({{"what", one.name},
                                {"wire", one.wire},
                                {"gigabytes_per_second", one.Median()},
                                {"samples", std::move(samples)}}));
  }
  std::printf("%s\n", WriteJson(MakeJson({{"contestants", std::move(rows)},
                                          {"shm_share_of_copy", verdict.shm_share},
                                          {"tcp_share_of_socket", verdict.tcp_share},
                                          {"met", verdict.met()}}))
                          .c_str());
}

bool ReadNumber(const char* text, long low, long high, long* out) {
  return text != nullptr && absl::SimpleAtoi(text, out) && *out >= low && *out <= high;
}

/// False, with a line on stderr, when the command line cannot be served.
bool ReadOptions(int argc, char** argv, BenchOptions* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--json") {
      options->json = true;
      continue;
    }
    const char* const text = i + 1 < argc ? argv[++i] : nullptr;
    long value = 0;
    bool fine = false;
    if (name == "--rounds" && (fine = ReadNumber(text, 1, 1000, &value))) {
      options->rounds = static_cast<int>(value);
    } else if (name == "--mib" && (fine = ReadNumber(text, 1, 4096, &value))) {
      options->mib = static_cast<int>(value);
    } else if (name == "--frame" && (fine = ReadNumber(text, 64, 262'144, &value))) {
      options->frame_bytes = static_cast<std::uint32_t>(value);
    } else if (name == "--page" && (fine = ReadNumber(text, 4096, 1 << 20, &value))) {
      options->page_bytes = static_cast<std::uint32_t>(value) / 8 * 8;
    }
    if (!fine) {
      std::fprintf(stderr, "transfer bench: %s: unknown, or without a number in range\n", argv[i]);
      return false;
    }
  }
  return true;
}

}  // namespace

int TransferBench(int argc, char** argv) {
  BenchOptions options;
  if (!ReadOptions(argc, argv, &options)) return 2;
  Field field(options);
  absl::Status status = field.Open();
  if (status.ok()) status = field.Run();
  if (!status.ok()) {
    std::fprintf(stderr, "transfer bench: %s\n", status.ToString().c_str());
    return 2;
  }
  const std::vector<Contestant>& all = field.contestants();
  const Verdict verdict{all[1].Median() / all[0].Median(), all[3].Median() / all[2].Median()};
  if (options.json) {
    PrintJson(all, verdict);
  } else {
    PrintTable(all, verdict);
  }
  return verdict.met() ? 0 : 1;
}

}  // namespace baton
