// Another program as it is started by posix_spawn: every signal at its default and none blocked,
// nothing on standard input, this process's standard error, and the descriptors that it is given.
#pragma once

#include <spawn.h>

namespace vipd {

class PosixSpawn {
 public:
  // `flags`: beside those that the signals need.
  explicit PosixSpawn(short flags = 0);
  ~PosixSpawn();
  PosixSpawn(const PosixSpawn&) = delete;
  PosixSpawn& operator=(const PosixSpawn&) = delete;

  // This process's descriptor `fd` is `number` there, in the order of the calls.
  void Give(int fd, int number);
  // 0 and the process, or an errno.
  int Run(const char* file, char* const argv[], char* const env[], pid_t* pid) const;

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t files_;
};

}  // namespace vipd
