// A queue between threads of which neither ever waits for the other: any number put, one takes.
#pragma once

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

namespace vipd {

template <typename Letter>
class Mailbox {
 public:
  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox() { TakeAll(); }

  void Put(Letter letter) {
    auto* node = new Node{std::move(letter), last_.load(std::memory_order_relaxed)};
    while (!last_.compare_exchange_weak(node->before, node, std::memory_order_release,
                                        std::memory_order_relaxed)) {
    }
  }

  // In the order in which they were put.
  std::vector<Letter> TakeAll() {
    std::vector<Letter> letters;
    if (last_.load(std::memory_order_relaxed) == nullptr) return letters;
    for (Node* node = last_.exchange(nullptr, std::memory_order_acquire); node != nullptr;) {
      letters.push_back(std::move(node->letter));
      delete std::exchange(node, node->before);
    }
    std::ranges::reverse(letters);
    return letters;
  }

 private:
  struct Node {
    Letter letter;
    Node* before;
  };

  std::atomic<Node*> last_{nullptr};
};

}  // namespace vipd
