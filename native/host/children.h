// Which thread waits for which program. As a rule the one that asked for it; programs whose thread
// has ended or does not answer any more are waited for by a thread of this process that does
// nothing else, so that none of them stays a zombie.
#pragma once

#include <sys/types.h>

namespace vipd {

// A program that was started: its end is told by `pidfd`, and waited for by the thread with the
// epoll set `owner`.
void AddChild(pid_t pid, int pidfd, int owner);

// Its end was told to `owner`. True: the caller is to wait for it and to close the descriptor.
bool TakeChild(int pidfd, int owner);

// The owner is gone, or does not answer: its programs, or this one, have another from now on.
void AdoptChildrenOf(int owner);
void AdoptChild(pid_t pid);

// What the kernel gave to this process as PID 1 of its namespace, and has ended; returns how many
// there were. Such orphans are children of the main thread, and what this process starts never is:
// it belongs to the threads that start it (lasting_thread.h), and the main thread starts nothing.
// To be called on the main thread; does not wait.
int ReapOrphans();

}  // namespace vipd
