// `baton-faults`: the program that ships, of the same objects, with failpoints at its seams. Tests
// start it in place of `baton`; it is no part of an image.
//
//   BATON_FAULTS        the test's socket (failpoints.h)
//   BATON_FAULTS_PUTS   when set, frames land as one-sided puts would (fault_transport.h)

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/check.h"
#include "kvtransfer/ucx_signals.h"
#include "server/program.h"
#include "tests/faults/fault_roles.h"

namespace {

/// A group of its own, numbered like the process, by which a rule of iptables knows all that it
/// sends. Without root no rule can be made, and none is needed.
void TakeOwnGroup() {
  if (geteuid() != 0) return;
  BATON_CHECK(setgid(static_cast<gid_t>(getpid())) == 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // the line above took away what `baton up` had asked for
}

/// A role dials the test; `up`, which starts this program again for each role, does not.
std::string SocketFor(const std::string& subcommand) {
  const char* path = std::getenv("BATON_FAULTS");
  const bool role = subcommand == "router" || subcommand == "prefill" || subcommand == "decode";
  return path != nullptr && role ? path : "";
}

}  // namespace

int main(int argc, char** argv) {
  baton::ReleaseHangupSignal();
  const std::string socket = SocketFor(argc > 1 ? argv[1] : "");
  if (!socket.empty()) TakeOwnGroup();
  baton::Failpoints points(socket);
  const bool puts = std::getenv("BATON_FAULTS_PUTS") != nullptr;
  return baton::RunProgram({argv + 1, argv + argc}, baton::FaultSeams(points, puts));
}
