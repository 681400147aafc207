// What the engine and its warden tell each other. The picture: a socket pair carries, in order and
// each as one message, the links to send on and how each slot's lead is given up; one shared page
// carries the engine's promise to be awake again by an instant, and the warden's answer when that
// promise was broken. While nothing changes nothing is sent: the promise alone is renewed.
//
// A warden may outlive its daemon, and must never strike the next one. It holds a record lock
// (fcntl(2)) on a file of the run directory for as long as it lives, and says that it does with its
// first message; before that it is told nothing. So a warden that was told anything was locked
// while its daemon lived, and the next daemon, which leads nothing while such a lock is held, finds
// it there.
#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/plan.h"

namespace vipd {

struct WardenPage {
  enum State : uint32_t {
    kIdle,
    kIntends,  // has seen the promise broken and looks once more
    kActing,   // is giving up every lead
    kActed     // gave up every lead; the engine sets it back when it has taken note
  };

  // An instant that never comes.
  static constexpr Us kNoPromise = INT64_MAX;

  // If the engine has not renewed this by then, its leads are to be given up.
  std::atomic<Us> awake_by{kNoPromise};
  std::atomic<uint32_t> state{kIdle};
  // The warden's sign of life: grows at least once in its beat, which the daemon chooses.
  std::atomic<uint32_t> beats{0};
};
static_assert(std::atomic<Us>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);

// The warden's descriptors.
constexpr int kWardenSocket = 3;
constexpr int kWardenPage = 4;
constexpr int kWardenLock = 5;
constexpr int kWardenSeals = 6;
// The longest message; a plan that is longer is sent in parts.
constexpr size_t kWardenMessageMax = 64 * 1024;
// Octets of a name; what is longer is cut.
constexpr size_t kWardenNameMax = 255;

struct WardenMessage {
  enum class Kind : uint8_t {
    kLink,      // id, interface; the sending socket comes with it
    kNoLink,    // id
    kPlan,      // id: the slot; name; steps; more: the plan goes on in the next message
    kLeads,     // id: the slot
    kFollows,   // id: the slot
    kNoSlot,    // id
    kExchange,  // id: 0 of the first process, 1 of the second; the page's memory comes with it
    kDismiss    // an orderly end: touch nothing any more
  };

  Kind kind = Kind::kDismiss;
  int32_t id = 0;
  int32_t ifindex = 0;
  bool more = false;
  std::string name;  // of the slot's instance, for the log; at most kWardenNameMax
  std::vector<Step> steps;
};

Bytes Encode(const WardenMessage& message);
// Nothing for bytes that `Encode` did not make.
std::optional<WardenMessage> Decode(std::span<const uint8_t> bytes);
// Cut so that each part fits into a message.
std::vector<WardenMessage> PlanMessages(SlotId slot, std::string_view name, const Plan& plan);

}  // namespace vipd
