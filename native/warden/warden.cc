// The warden: a process of its own that gives up every lead of its daemon when the daemon cannot.
// It holds what that takes at all times (finished bytes, open sockets), so that nothing has to be
// made or opened in the emergency. Two things make it act: the socket to the daemon closes without
// a dismissal (killed, crashed), or the engine's promise to be awake passes (stopped, swapped out).
// In the second case it stays: the engine finds its mark before it sends anything, and listens.
//
// Started by the daemon with the socket as descriptor 3, the shared page as 4, the file to lock as
// 5, the table of seals as 6, and as arguments the real-time priority, how often to give a sign of
// life, in µs, and the form of the log. Ignores every signal that can be ignored and is not the
// kernel's own; ends with its daemon, or is killed by the next one.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/exchange.h"
#include "base/signals.h"
#include "base/sockets.h"
#include "warden/carrier.h"
#include "warden/log_line.h"
#include "warden/warden_wire.h"

namespace vipd {

namespace {

// A lead without a promise is a message that overtook it: look again soon.
constexpr Us kLookAgain = 10'000;
// The kernel bounds how long a real-time process may work without sleeping.
constexpr int kSlicesBetweenPauses = 64;
// PIPE_BUF: a pipe that has room takes it whole, without waiting.
constexpr size_t kLineMax = 4096;
// AF_UNIX takes 208 KiB (net.core.wmem_default).
constexpr size_t kEntryMax = 160 * 1024;
constexpr char kJournalSocket[] = "/run/systemd/journal/socket";

class Warden {
 public:
  Warden(WardenPage* page, SealTable* seals, Us beat, LogForm form)
      : page_(page), beat_(beat), form_(form), carrier_(seals) {}

  std::optional<OpenFailure> Open() {
    // Without it, as without journald, entries are lines of the stream.
    if (form_ == LogForm::kJournal)
      journal_ = UniqueFd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return carrier_.Open();
  }

  // Returns when the daemon is gone. The lock is held by now.
  void Run() {
    const char ready = 0;
    if (send(kWardenSocket, &ready, sizeof ready, MSG_NOSIGNAL) < 0) return;
    while (true) {
      Wait();
      if (!Listen()) break;
      if (!leading_.empty()) Look();
    }
    if (!dismissed_ && MayAct() && !leading_.empty()) {
      GiveUp();
      Say("vipd-warden: the daemon is gone: gave up leadership", "daemon-gone");
    }
  }

 private:
  void Wait() const {
    ++page_->beats;
    Us left = leading_.empty() ? beat_ : std::min(beat_, kLookAgain);
    const Us awake_by = page_->awake_by.load();
    if (!leading_.empty() && awake_by != WardenPage::kNoPromise)
      left = std::clamp<Us>(awake_by - MonotonicNow() + 1, 1, beat_);
    const timespec span = {left / 1'000'000, left % 1'000'000 * 1'000};
    pollfd socket = {kWardenSocket, POLLIN, 0};
    ppoll(&socket, 1, &span, nullptr);
  }

  // Reads every message that waits. False: the other end is gone.
  bool Listen() {
    while (true) {
      iovec part = {buffer_.data(), buffer_.size()};
      alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control;
      msghdr header{};
      header.msg_iov = &part;
      header.msg_iovlen = 1;
      header.msg_control = control.data();
      header.msg_controllen = control.size();
      const ssize_t n = recvmsg(kWardenSocket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno == EAGAIN;
      if (n == 0) return false;
      const cmsghdr* passed = CMSG_FIRSTHDR(&header);
      int fd = -1;
      if (passed != nullptr && passed->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(passed), sizeof fd);
      auto message = Decode({buffer_.data(), static_cast<size_t>(n)});
      if (message.has_value()) Take(std::move(*message), UniqueFd(fd));
      if (dismissed_) return false;
    }
  }

  void Take(WardenMessage message, UniqueFd fd) {
    switch (message.kind) {
      case WardenMessage::Kind::kLink:
        carrier_.AddOutlet(message.id, fd.get(), message.ifindex);
        senders_[message.id] = std::move(fd);
        return;
      case WardenMessage::Kind::kNoLink:
        carrier_.RemoveOutlet(message.id);
        senders_.erase(message.id);
        return;
      case WardenMessage::Kind::kPlan:
        return TakePlan(std::move(message));
      case WardenMessage::Kind::kLeads:
        leading_.insert(message.id);
        return;
      case WardenMessage::Kind::kFollows:
        leading_.erase(message.id);
        return;
      case WardenMessage::Kind::kNoSlot:
        leading_.erase(message.id);
        plans_.erase(message.id);
        names_.erase(message.id);
        given_up_.reserve(names_.size());
        return;
      case WardenMessage::Kind::kExchange:
        // Without the word it could act beside another: the engine starts another warden.
        exchange_ = MapExchangePage(fd.get(), exchange_);
        dismissed_ = exchange_ == nullptr;
        role_ = message.id == 0 ? ExchangeRole::kFirst : ExchangeRole::kSecond;
        return;
      case WardenMessage::Kind::kDismiss:
        dismissed_ = true;
        return;
    }
  }

  // While another process of the daemon takes this one's place, the word of their exchange decides.
  bool MayAct() { return exchange_ == nullptr || exchange_->MayAct(role_); }

  // A plan replaces the one before it when its last part is here.
  void TakePlan(WardenMessage message) {
    names_[message.id] = Escaped(message.name, form_ == LogForm::kJson);
    given_up_.reserve(names_.size());
    for (Step& step : message.steps) parts_.push_back(std::move(step));
    if (!message.more) plans_[message.id] = MakePlan(std::exchange(parts_, {}));
  }

  // The promise is looked at again after the intention is published, and the engine looks at the
  // intention after it has renewed its promise: of two that act at once, one notices.
  void Look() {
    const Us awake_by = page_->awake_by.load();
    if (awake_by > MonotonicNow()) return;
    uint32_t idle = WardenPage::kIdle;
    if (!page_->state.compare_exchange_strong(idle, WardenPage::kIntends)) return;
    if (page_->awake_by.load() != awake_by) {
      page_->state = WardenPage::kIdle;
      return;
    }
    if (!MayAct()) {
      leading_.clear();
      page_->state = WardenPage::kIdle;
      return;
    }
    page_->state = WardenPage::kActing;
    GiveUp();
    page_->state = WardenPage::kActed;
    Say("vipd-warden: the daemon does not answer: gave up leadership", "daemon-silent");
  }

  void GiveUp() {
    Batch batch;
    given_up_.clear();
    for (const SlotId slot : std::exchange(leading_, {})) {
      PutPlan(slot, &batch);
      const auto name = names_.find(slot);
      if (name != names_.end() && !name->second.empty()) given_up_.push_back(&name->second);
    }
    carrier_.Add(std::move(batch));
    for (int slices = 1; carrier_.busy(); ++slices) {
      carrier_.Continue();
      ++page_->beats;
      const timespec moment = {0, 1'000};
      if (slices % kSlicesBetweenPauses == 0) nanosleep(&moment, nullptr);
    }
  }

  void PutPlan(SlotId slot, Batch* batch) const {
    const auto plan = plans_.find(slot);
    if (plan == plans_.end()) return;
    vipd::Run run;
    run.slot = slot;
    run.plan = plan->second;
    batch->push_back(std::move(run));
  }

  // Where the daemon writes its log; nothing is waited for.
  void Say(const char* what, const char* cause) {
    const LogEntry entry = {what, cause, given_up_};
    if (form_ == LogForm::kJournal && TellJournal(entry)) return;
    const size_t length = FormatLogLine(form_, entry, std::span(text_).first(kLineMax));
    pollfd out = {STDERR_FILENO, POLLOUT, 0};
    if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) return;
    [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, text_.data(), length);
  }

  // False: journald does not take it. Many instances take several entries.
  bool TellJournal(const LogEntry& entry) {
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    memcpy(there.sun_path, kJournalSocket, sizeof kJournalSocket);
    size_t next = 0;
    do {
      const size_t length = FormatJournalEntry(entry, &next, text_);
      if (sendto(journal_.get(), text_.data(), length, MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&there), sizeof there) < 0)
        return false;
    } while (next < entry.instances.size());
    return true;
  }

  WardenPage* const page_;
  const Us beat_;
  const LogForm form_;
  Carrier carrier_;
  std::map<LinkId, UniqueFd> senders_;
  std::map<SlotId, PlanPtr> plans_;
  std::map<SlotId, std::string> names_;  // escaped
  std::set<SlotId> leading_;
  // By the last `GiveUp`; room for all.
  std::vector<const std::string*> given_up_;
  std::vector<Step> parts_;
  bool dismissed_ = false;
  UniqueFd journal_;
  ExchangePage* exchange_ = nullptr;
  ExchangeRole role_ = ExchangeRole::kFirst;
  std::array<uint8_t, kWardenMessageMax> buffer_;
  std::array<char, kEntryMax> text_;
};

// What makes it outlive its daemon's end, as far as it is permitted.
void Prepare(int realtime_priority) {
  IgnoreSignals();
  KeepMemoryOutOfCores();
  syscall(SYS_close_range, kWardenSeals + 1, ~0u, 0);
  prctl(PR_SET_TIMERSLACK, 1);
  if (chdir("/") < 0) return;
  const int oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (oom >= 0) {
    [[maybe_unused]] const ssize_t n = write(oom, "-1000", 5);
    close(oom);
  }
  mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
  sched_param param{};
  param.sched_priority = realtime_priority;
  if (realtime_priority > 0) sched_setscheduler(0, SCHED_RR, &param);
}

// Shared, so that it says "a warden lives" whichever and however many there are. A daemon asks for
// the holder, it never takes the lock itself.
bool HoldLock() {
  struct flock lock = {};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  return fcntl(kWardenLock, F_SETLK, &lock) == 0;
}

int Main(int argc, char** argv) {
  if (argc != 4) return 1;
  const Us beat = std::max(atoll(argv[2]), 1LL);
  Prepare(atoi(argv[1]));
  PrepareLogLines();
  if (!HoldLock()) return 1;
  void* page =
      mmap(nullptr, sizeof(WardenPage), PROT_READ | PROT_WRITE, MAP_SHARED, kWardenPage, 0);
  if (page == MAP_FAILED) return 1;
  const auto seals = SealTable::Open(kWardenSeals);
  if (seals == nullptr) return 1;
  Warden warden(static_cast<WardenPage*>(page), seals.get(), beat, LogFormFrom(argv[3]));
  if (warden.Open().has_value()) return 1;
  warden.Run();
  return 0;
}

}  // namespace

}  // namespace vipd

int main(int argc, char** argv) { return vipd::Main(argc, argv); }
