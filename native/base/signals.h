// Which signals may end a process of ours.
#pragma once

namespace vipd {

// No signal ends this process from now on but INT, TERM, QUIT and KILL, and those with which the
// kernel reports what went wrong in the process itself (SEGV, ABRT, ...). Signals that have a
// handler or are ignored by now stay as they are.
void SurviveSignals();

// For a process that executes nothing: ignores INT, TERM and QUIT too.
void IgnoreSignals();

// For a child before it executes: every signal does what it does by default, those too that the C
// library does not let out of its hands. Calls the kernel alone.
void DefaultSignals();

}  // namespace vipd
