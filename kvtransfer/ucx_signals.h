// Takes back a signal that UCX takes for itself when its library is loaded: on SIGHUP it would
// attach a debugger or write a trace, so that the process would not hear that its terminal left.
#pragma once

namespace baton {

/// Gives SIGHUP the disposition that the process was started with: the default's, or "ignored"
/// under nohup. Call it first of all. Thread: main, before others.
void ReleaseHangupSignal();

}  // namespace baton
