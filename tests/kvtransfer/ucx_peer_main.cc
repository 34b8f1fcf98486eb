// The peer of the process tests: opens a transport, prints its address in hexadecimal, serves one
// driver, ends with it or after a minute.

#include <cstdio>
#include <string>

#include "absl/strings/escaping.h"
#include "kvtransfer/transfer_probe.h"
#include "kvtransfer/ucx_transport.h"
#include "tests/kvtransfer/peer_process.h"

int main(int argc, char** argv) {
  const std::string wire = argc > 1 ? argv[1] : "both";
  baton::UcxOptions options;
  options.shm = wire != "tcp";
  options.tcp = wire != "shm";
  const auto transport = baton::MakeUcxTransport(options);
  if (!transport.ok()) {
    std::fprintf(stderr, "%s\n", transport.status().ToString().c_str());
    return 1;
  }
  baton::TransferProbe probe(**transport, baton::kPeerShape);
  std::printf("%s\n", absl::BytesToHexString((*transport)->address()).c_str());
  std::fflush(stdout);
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  return probe.Serve({}, end).ok() ? 0 : 1;
}
