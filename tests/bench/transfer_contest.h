// What moves the same pages in turns: a plain copy, a copy with its checksum, a plain socket, and
// the validated transport over shared memory and TCP.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "kvtransfer/transfer_probe.h"
#include "kvtransfer/transport.h"
#include "tests/bench/forked_peer.h"
#include "tests/bench/socket_stream.h"

namespace baton::bench {

struct TransferShape {
  int rounds = 7;
  int mib = 256;
  std::uint32_t frame_bytes = 0;             // 0: what serving takes on that wire
  std::uint32_t page_bytes = 4 * 72 * 1024;  // 4 layers of MLA in bf16

  std::uint32_t Pages() const;
  ProbeShape Probe(absl::string_view wire) const;
};

/// The value in the middle; 0 of none.
double MedianOf(std::vector<double> values);

/// One way to move all pages once.
struct Contestant {
  std::string name;
  std::string wire;
  std::function<absl::Status(const std::vector<std::uint32_t>& order)> run;
  std::vector<double> gigabytes_per_second;

  double Median() const { return MedianOf(gigabytes_per_second); }
};

enum class Way { kCopy, kCopyCrc, kShm, kSocket, kTcp };

/// The sending half over UCX, and its end of the wire.
class UcxContestant {
 public:
  UcxContestant(absl::string_view wire, const ProbeShape& shape);
  absl::Status Open();
  absl::Status Push(const std::vector<std::uint32_t>& order);

 private:
  const std::string wire_;
  std::unique_ptr<ForkedPeer> peer_;
  ProbeShape shape_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<TransferProbe> probe_;
};

class TransferContest {
 public:
  /// Forks the receiving processes: nothing of the caller's may be open yet.
  explicit TransferContest(const TransferShape& shape);

  absl::Status Open();

  /// One untimed round, then the timed ones, every contestant once a round, pages in random order.
  absl::Status Run();

  /// In the order of Way.
  const std::vector<Contestant>& contestants() const { return contestants_; }
  const Contestant& operator[](Way way) const {
    return contestants_[static_cast<std::size_t>(way)];
  }

 private:
  using Order = std::vector<std::uint32_t>;
  template <typename CopyPage>
  absl::Status CopyPages(const Order& order, CopyPage copy_page);

  const TransferShape shape_;
  const std::size_t bytes_;
  std::unique_ptr<ForkedPeer> socket_peer_;
  UcxContestant shm_;
  UcxContestant tcp_;
  SocketStream socket_;
  std::vector<std::byte> source_;
  std::vector<std::byte> target_;
  std::vector<Contestant> contestants_;
};

}  // namespace baton::bench
