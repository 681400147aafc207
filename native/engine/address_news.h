// Which notifications about addresses say something new. A lifetime that is renewed, to be as long
// as it was, is notified like a change, to every listener and also to the program that renewed it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

struct nlmsghdr;

namespace vipd {

class AddressNews {
 public:
  // False for an RTM_NEWADDR that is equal, lifetimes included, to the last one about that address.
  bool IsNews(const nlmsghdr* message);
  // Of all messages in what the kernel has delivered at once.
  bool AnyNews(std::span<const uint8_t> bytes);
  void Forget() { known_.clear(); }

 private:
  std::unordered_map<std::string, std::string> known_;  // who → what
};

}  // namespace vipd
