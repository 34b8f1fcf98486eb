// The program's entry.

#include "kvtransfer/ucx_signals.h"
#include "server/program.h"

int main(int argc, char** argv) {
  baton::ReleaseHangupSignal();
  return baton::RunProgram({argv + 1, argv + argc}, baton::RoleSeams{});
}
