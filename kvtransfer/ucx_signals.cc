#include "kvtransfer/ucx_signals.h"

#include <signal.h>

extern "C" {
#include <ucs/debug/debug.h>
}

namespace baton {

void ReleaseHangupSignal() { ucs_debug_disable_signal(SIGHUP); }

}  // namespace baton
