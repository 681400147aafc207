#include "base/posix_spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace vipd {

PosixSpawn::PosixSpawn(short flags) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_init(&attributes_);
  posix_spawnattr_setsigmask(&attributes_, &none);
  posix_spawnattr_setsigdefault(&attributes_, &all);
  posix_spawnattr_setflags(
      &attributes_, static_cast<short>(flags | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  posix_spawn_file_actions_init(&files_);
  posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDWR, 0);
  // Node has its standard descriptors closed on exec; the log is worth having.
  Give(STDERR_FILENO, STDERR_FILENO);
}

PosixSpawn::~PosixSpawn() {
  posix_spawn_file_actions_destroy(&files_);
  posix_spawnattr_destroy(&attributes_);
}

void PosixSpawn::Give(int fd, int number) { posix_spawn_file_actions_adddup2(&files_, fd, number); }

int PosixSpawn::Run(const char* file, char* const argv[], char* const env[], pid_t* pid) const {
  return posix_spawn(pid, file, &files_, &attributes_, argv, env);
}

}  // namespace vipd
