#include "base/memory.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace vipd {

namespace {

struct Mapping {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  char rights[5] = "";
  std::string name;
};

// One line of /proc/self/maps: begin-end rights offset device inode name.
bool Parse(const std::string& line, Mapping* out) {
  int at = 0;
  const int fields = sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %n",
                            &out->begin, &out->end, out->rights, &at);
  if (fields < 3) return false;
  out->name = line.substr(static_cast<size_t>(at));
  return true;
}

// Pages are locked as they are touched, so a large mapping costs what is used of it.
bool Lock(uintptr_t begin, uintptr_t end) {
  return mlock2(reinterpret_cast<void*>(begin), end - begin, MLOCK_ONFAULT) == 0;
}

bool LockOwnStack() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return false;
  void* begin = nullptr;
  size_t length = 0;
  const int error = pthread_attr_getstack(&attributes, &begin, &length);
  pthread_attr_destroy(&attributes);
  const auto from = reinterpret_cast<uintptr_t>(begin);
  return error == 0 && Lock(from, from + length);
}

bool LockMappings() {
  std::ifstream maps("/proc/self/maps");
  bool all = true;
  for (std::string line; std::getline(maps, line);) {
    Mapping mapping;
    if (!Parse(line, &mapping)) continue;
    const bool file = mapping.name.starts_with("/") && !mapping.name.starts_with("/dev/");
    const bool reachable = mapping.rights[0] == 'r';
    if (reachable && (file || mapping.name == "[heap]"))
      all = Lock(mapping.begin, mapping.end) && all;
  }
  return all;
}

}  // namespace

bool LockEngineMemory(std::vector<std::string>* notes) {
  const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &unlimited);  // the attempt below tells whether it was needed
  if (LockOwnStack() && LockMappings()) return true;
  notes->push_back(std::string("memory is not locked: ") + strerror(errno));
  return false;
}

}  // namespace vipd
