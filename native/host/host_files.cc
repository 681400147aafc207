#include "host/host_files.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>

namespace vipd {
namespace {

// As many as the kernel follows.
constexpr int kLinksMax = 40;
// As keepalived makes such a file.
constexpr mode_t kMode = 0644;
constexpr mode_t kModeBits = 07777;

bool IsOurs(uid_t uid) { return uid == 0 || uid == geteuid(); }

// The directory that a path leads to, and the last name in it.
struct Located {
  UniqueFd directory;
  std::string name;
  int error = 0;
  std::string detail;
};

class Walk {
 public:
  Walk(const std::string& path, bool follow_last) : rest_(path), follow_last_(follow_last) {}

  Located Run() {
    Start();
    while (error_ == 0 && Next() && error_ == 0) Enter();
    if (error_ == 0 && (name_.empty() || name_ == "." || name_ == "..")) error_ = EISDIR;
    return {std::move(directory_), name_, error_, detail_};
  }

 private:
  void Start() {
    const bool absolute = rest_.starts_with('/');
    directory_ = UniqueFd(open(absolute ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (directory_.get() < 0) error_ = errno;
  }

  // False when `name_` is the last.
  bool Next() {
    const std::size_t from = rest_.find_first_not_of('/');
    rest_.erase(0, from == std::string::npos ? rest_.size() : from);
    const std::size_t to = rest_.find('/');
    name_ = rest_.substr(0, to);
    rest_.erase(0, to == std::string::npos ? rest_.size() : to);
    const bool last = rest_.find_first_not_of('/') == std::string::npos;
    return !last || (follow_last_ && IsLink());
  }

  bool IsLink() const {
    struct stat facts = {};
    return fstatat(directory_.get(), name_.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISLNK(facts.st_mode);
  }

  void Enter() {
    UniqueFd next(openat(directory_.get(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat facts = {};
    if (next.get() < 0 || fstat(next.get(), &facts) < 0) {
      error_ = errno;
      if (error_ == ENOENT) detail_ = "the directory " + name_ + " is missing";
    } else if (S_ISLNK(facts.st_mode)) {
      Follow(next, facts);
    } else if (S_ISDIR(facts.st_mode)) {
      directory_ = std::move(next);
    } else {
      error_ = ENOTDIR;
      detail_ = name_ + " is not a directory";
    }
  }

  // A link of root's may have been given a second name in a directory of another user.
  void Follow(const UniqueFd& link, const struct stat& facts) {
    std::array<char, PATH_MAX> target;
    const ssize_t length = readlinkat(link.get(), "", target.data(), target.size());
    if (length < 0) {
      error_ = errno;
    } else if (!IsOurs(facts.st_uid) || facts.st_nlink != 1 || ++links_ > kLinksMax) {
      error_ = ELOOP;
      if (links_ <= kLinksMax)
        detail_ = "the symbolic link " + name_ + " belongs to uid " + std::to_string(facts.st_uid);
    } else {
      rest_ = std::string(target.data(), static_cast<std::size_t>(length)) + rest_;
      if (rest_.starts_with('/')) Start();
    }
  }

  std::string rest_;
  bool follow_last_;
  UniqueFd directory_;
  std::string name_;
  int links_ = 0;
  int error_ = 0;
  std::string detail_;
};

OpenedFifo Fail(int error, std::string detail = "") {
  OpenedFifo out;
  out.error = error;
  out.detail = std::move(detail);
  return out;
}

UniqueFd OpenAt(const Located& at, const char* name, int flags) {
  return UniqueFd(
      openat(at.directory.get(), name, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, kMode));
}

// Made beside the place where it shall be, since it must be ours before it has its name. `old` is
// what stands there; it stays open until the new one has taken its place: a reader that waits in
// open() is let go, reads to the end, and finds the new one.
OpenedFifo MakeAt(const Located& at, std::optional<Owner> owner, const struct stat* old) {
  std::array<char, 32> fresh;
  std::snprintf(fresh.data(), fresh.size(), ".vipd-%ld.fifo", static_cast<long>(getpid()));
  unlinkat(at.directory.get(), fresh.data(), 0);
  if (mkfifoat(at.directory.get(), fresh.data(), 0600) < 0) return Fail(errno);
  UniqueFd fd = OpenAt(at, fresh.data(), O_RDWR);
  struct stat facts = {};
  if (fd.get() < 0 || fstat(fd.get(), &facts) < 0) {
    const int error = errno;
    unlinkat(at.directory.get(), fresh.data(), 0);
    return Fail(error);
  }
  const bool ours = S_ISFIFO(facts.st_mode) && facts.st_uid == geteuid() && facts.st_nlink == 1;
  if (!ours) return Fail(EPERM, "another user has put something in its place");
  if (!owner && old != nullptr && old->st_uid != geteuid()) owner = {old->st_uid, old->st_gid};
  const mode_t mode = old == nullptr ? kMode : old->st_mode & kModeBits;
  UniqueFd waiting = old == nullptr ? UniqueFd() : OpenAt(at, at.name.c_str(), O_RDWR);
  if ((owner && fchown(fd.get(), owner->uid, owner->gid) < 0) || fchmod(fd.get(), mode) < 0 ||
      renameat(at.directory.get(), fresh.data(), at.directory.get(), at.name.c_str()) < 0) {
    const int error = errno;
    unlinkat(at.directory.get(), fresh.data(), 0);
    return Fail(error);
  }
  OpenedFifo out;
  out.fd = std::move(fd);
  out.replaced = old != nullptr;
  return out;
}

OpenedFifo UseAt(const Located& at, std::optional<Owner> owner) {
  OpenedFifo out;
  out.fd = OpenAt(at, at.name.c_str(), O_RDWR);
  struct stat facts = {};
  if (out.fd.get() < 0 || fstat(out.fd.get(), &facts) < 0) return Fail(errno);
  const bool known = IsOurs(facts.st_uid) || (owner && owner->uid == facts.st_uid);
  if (!S_ISFIFO(facts.st_mode) || !known || facts.st_nlink != 1) return Fail(EEXIST);
  out.replaced = true;
  return out;
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

OpenedFifo MakeFifo(const std::string& path, std::optional<Owner> owner) {
  const Located at = Walk(path, false).Run();
  if (at.error != 0) return Fail(at.error, at.detail);
  struct stat old = {};
  if (fstatat(at.directory.get(), at.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? MakeAt(at, owner, nullptr) : Fail(errno);
  if (!S_ISFIFO(old.st_mode)) return Fail(EEXIST, "it is not a FIFO");
  if (!IsOurs(old.st_uid) && !(owner && owner->uid == old.st_uid))
    return Fail(EEXIST, "the FIFO there belongs to uid " + std::to_string(old.st_uid));
  OpenedFifo made = MakeAt(at, owner, &old);
  const bool refused = made.error == EACCES || made.error == EPERM || made.error == EROFS;
  // Where we may not make files, root's own FIFO is the one to use.
  const bool usable = refused && old.st_uid == 0 && geteuid() != 0;
  return usable ? UseAt(at, std::nullopt) : std::move(made);
}

OpenedFifo UseFifo(const std::string& path, std::optional<Owner> owner) {
  const Located at = Walk(path, false).Run();
  return at.error == 0 ? UseAt(at, owner) : Fail(at.error, at.detail);
}

void RemoveFifo(const std::string& path, int fd) {
  const Located at = Walk(path, false).Run();
  struct stat there = {};
  struct stat ours = {};
  if (at.error == 0 && fstat(fd, &ours) == 0 &&
      fstatat(at.directory.get(), at.name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
      there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
    unlinkat(at.directory.get(), at.name.c_str(), 0);
}

int WriteFile(const std::string& path, const std::string& text, bool overwrite) {
  const Located at = Walk(path, overwrite).Run();
  if (at.error != 0) return at.error;
  const UniqueFd fd = OpenAt(at, at.name.c_str(), O_WRONLY | O_CREAT | (overwrite ? 0 : O_EXCL));
  struct stat facts = {};
  if (fd.get() < 0 || fstat(fd.get(), &facts) < 0) return errno;
  if (!S_ISREG(facts.st_mode)) return EINVAL;
  if (facts.st_nlink != 1) return EMLINK;
  if (ftruncate(fd.get(), 0) < 0 || !WriteAll(fd.get(), text)) return errno;
  return 0;
}

}  // namespace vipd
