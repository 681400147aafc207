// Files in directories that other users may write: by descriptor, so that what was looked at is
// what is changed. A symbolic link is followed only if root or we have made it; no other user's
// name makes root write, own or remove a file elsewhere.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/sockets.h"

namespace vipd {

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

struct OpenedFifo {
  UniqueFd fd;
  // There was one at that path before.
  bool replaced = false;
  int error = 0;
  std::string detail;
};

// A FIFO of our own at `path`, mode 0644 and perhaps for another owner, open for reading and
// writing without blocking. One that is there already and ours, or that owner's, is replaced and
// keeps its mode and (without `owner`) its owner: a reader that a dead daemon has left reads the
// old one to its end. One of root's that we may not replace is used as it is.
OpenedFifo MakeFifo(const std::string& path, std::optional<Owner> owner);

// One that this process's predecessor made, as it is: of ours, of root's or of that owner's.
OpenedFifo UseFifo(const std::string& path, std::optional<Owner> owner);

// Removes it if it is still the one that `fd` is open on.
void RemoveFifo(const std::string& path, int fd);

// Writes a regular file, with mode 0644 if it is made; `overwrite`: also one that is there. It has
// no second name. 0 or the errno.
int WriteFile(const std::string& path, const std::string& text, bool overwrite);

}  // namespace vipd
