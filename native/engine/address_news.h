// Which notifications about addresses say something new. A renewed lifetime is notified like a
// change, to every listener and also to the program that renewed it; nothing that is asked of an
// address here depends on it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

struct nlmsghdr;

namespace vipd {

class AddressNews {
 public:
  // False for an RTM_NEWADDR that is equal, but for its lifetime, to the last one about that
  // address.
  bool IsNews(const nlmsghdr* message);
  // Of all messages in what the kernel has delivered at once.
  bool AnyNews(std::span<const uint8_t> bytes);
  void Forget() { known_.clear(); }

 private:
  std::unordered_map<std::string, std::string> known_;  // who → what
};

}  // namespace vipd
