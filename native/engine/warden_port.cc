#include "engine/warden_port.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "base/lasting_thread.h"
#include "base/posix_spawn.h"

namespace vipd {

namespace {

// Room for the plans of thousands of slots at once; less where it is not permitted.
constexpr int kSocketBuffer = 8 << 20;
// The warden's second look takes well under a microsecond.
constexpr int kIntentionLooks = 1'000;
// Between two looks at whether it has ended.
constexpr Us kReapLook = 1'000;

// Where this code was loaded from.
std::string WardenPath() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&StartWarden), &info) == 0) return "vipd-warden";
  const std::string self = info.dli_fname;
  return self.substr(0, self.rfind('/') + 1) + "vipd-warden";
}

StartedWarden Refused(const char* call, int error) {
  StartedWarden out;
  out.failed_call = call;
  out.error = error;
  return out;
}

// Out of the way of the numbers that it gets in the warden.
UniqueFd Aside(int fd) { return UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 16)); }

struct Given {
  int socket;
  int page;
  int lock;
  int seals;
};

int Spawn(const std::string& path, const Given& given, int realtime_priority, Us beat,
          std::string log_form, int* pid) {
  const UniqueFd far_socket = Aside(given.socket);
  const UniqueFd far_page = Aside(given.page);
  const UniqueFd far_lock = Aside(given.lock);
  const UniqueFd far_seals = Aside(given.seals);
  if (far_socket.get() < 0 || far_page.get() < 0 || far_lock.get() < 0 || far_seals.get() < 0)
    return errno;
  std::string name = "vipd-warden";
  std::string priority = std::to_string(realtime_priority);
  std::string beats = std::to_string(beat);
  char* arguments[] = {name.data(), priority.data(), beats.data(), log_form.data(), nullptr};
  // Of the daemon's environment it needs what its times are told by.
  const char* zone = getenv("TZ");
  std::string time_zone = "TZ=";
  if (zone != nullptr) time_zone += zone;
  char* environment[] = {zone == nullptr ? nullptr : time_zone.data(), nullptr};
  PosixSpawn spawn(POSIX_SPAWN_SETSID);
  spawn.Give(STDIN_FILENO, STDOUT_FILENO);
  spawn.Give(far_socket.get(), kWardenSocket);
  spawn.Give(far_page.get(), kWardenPage);
  spawn.Give(far_lock.get(), kWardenLock);
  spawn.Give(far_seals.get(), kWardenSeals);
  return spawn.Run(path.c_str(), arguments, environment, pid);
}

bool SamePlan(const PlanPtr& a, const PlanPtr& b) {
  if (a == nullptr || b == nullptr || a == b) return a == b;
  return std::ranges::equal(a->steps, b->steps, [](const Step& x, const Step& y) {
    return x.kind == y.kind && x.target == y.target && x.to == y.to && x.head == y.head &&
           x.bytes == y.bytes && x.tolerate == y.tolerate;
  });
}

WardenMessage About(WardenMessage::Kind kind, int32_t id) {
  WardenMessage message;
  message.kind = kind;
  message.id = id;
  return message;
}

}  // namespace

StartedWarden StartWarden(int realtime_priority, Us beat, const std::string& lock_path,
                          const std::string& log_form, int seals) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
    return Refused("socketpair", errno);
  auto near = std::make_shared<UniqueFd>(ends[0]);
  const UniqueFd far(ends[1]);
  const int buffer = kSocketBuffer;
  if (setsockopt(near->get(), SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) < 0)
    setsockopt(near->get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  const UniqueFd memory(memfd_create("vipd-warden", MFD_CLOEXEC));
  if (memory.get() < 0) return Refused("memfd_create", errno);
  if (ftruncate(memory.get(), sizeof(WardenPage)) < 0) return Refused("ftruncate", errno);
  void* mapped =
      mmap(nullptr, sizeof(WardenPage), PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (mapped == MAP_FAILED) return Refused("mmap", errno);
  StartedWarden out;
  out.socket = std::move(near);
  out.page = std::shared_ptr<WardenPage>(new (mapped) WardenPage,
                                         [](WardenPage* page) { munmap(page, sizeof *page); });
  UniqueFd lock;
  if (!lock_path.empty()) {
    lock = UniqueFd(open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock.get() < 0) return Refused("open", errno);
  }
  int error = 0;
  // A child of the main thread would be taken for an orphan (host/children.h).
  const int no_thread = OnLastingThread([&] {
    const int locked = lock.get() < 0 ? memory.get() : lock.get();
    error = Spawn(WardenPath(), {far.get(), memory.get(), locked, seals}, realtime_priority, beat,
                  log_form, &out.pid);
  });
  if (no_thread != 0) return Refused("pthread_create", no_thread);
  return error == 0 ? out : Refused("posix_spawn", error);
}

namespace {

bool Ended(int pid, Us patience) {
  const timespec moment = {0, kReapLook * 1'000};
  for (Us left = patience; left > 0; left -= kReapLook) {
    if (waitpid(pid, nullptr, WNOHANG) != 0) return true;
    nanosleep(&moment, nullptr);
  }
  return false;
}

}  // namespace

bool EndWarden(int pid) {
  kill(pid, SIGKILL);
  return waitpid(pid, nullptr, WNOHANG) != 0;
}

void ReapWarden(int pid, const EnginePolicy& policy) {
  if (Ended(pid, policy.warden_ends)) return;
  kill(pid, SIGKILL);
  Ended(pid, policy.warden_killed);
}

void WardenPort::Connect(const StartedWarden& started) {
  Disconnect();
  socket_ = started.socket;
  page_ = started.page;
}

bool WardenPort::Disconnect() {
  const uint32_t state = page_ == nullptr ? WardenPage::kIdle : page_->state.load();
  *this = WardenPort();
  return state == WardenPage::kActing || state == WardenPage::kActed;
}

bool WardenPort::Listen() {
  char word;
  while (true) {
    const ssize_t n = recv(socket_->get(), &word, sizeof word, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    ready_ = true;
  }
}

void WardenPort::AddLink(const LinkPtr& link) {
  if (connected()) changed_links_[link->id] = link;
}

void WardenPort::RemoveLink(LinkId id) {
  if (links_told_.contains(id))
    changed_links_[id] = nullptr;
  else
    changed_links_.erase(id);
}

void WardenPort::Update(SlotId id, const Core::Standing& standing, const std::string& name) {
  if (!connected()) return;
  if (standing.lead == nullptr && !slots_.contains(id)) return;
  Slot& slot = slots_[id];
  slot.plan = standing.lead == nullptr ? nullptr : standing.lead->resign;
  slot.name = name;
  SetLeads(&slot, standing.lead != nullptr && standing.leads,
           standing.lead == nullptr ? 0 : standing.lead->warden_late);
  if (!std::exchange(slot.changed, true)) changed_slots_.push_back(id);
}

void WardenPort::SetLeads(Slot* slot, bool leads, Us late) {
  if (slot->leads && --lates_[slot->late] == 0) lates_.erase(slot->late);
  slot->leads = leads;
  slot->late = late;
  if (leads) ++lates_[late];
}

void WardenPort::Put(const WardenMessage& message, LinkPtr link) {
  waiting_.push_back({Encode(message), std::move(link)});
}

// Links first: a plan sends through them.
void WardenPort::PutNext() {
  if (!changed_links_.empty()) {
    const auto changed = changed_links_.extract(changed_links_.begin());
    return PutLink(changed.key(), changed.mapped());
  }
  const SlotId id = changed_slots_.front();
  changed_slots_.pop_front();
  PutSlot(id);
}

void WardenPort::PutLink(LinkId id, LinkPtr link) {
  if (link == nullptr) {
    links_told_.erase(id);
    return Put(About(WardenMessage::Kind::kNoLink, id));
  }
  links_told_.insert(id);
  WardenMessage message = About(WardenMessage::Kind::kLink, id);
  message.ifindex = link->ifindex;
  Put(message, std::move(link));
}

// What it does not know yet of this slot, which is nothing when a change was taken back.
void WardenPort::PutSlot(SlotId id) {
  const auto found = slots_.find(id);
  Slot& slot = found->second;
  slot.changed = false;
  if (slot.plan == nullptr) {
    if (slot.plan_told != nullptr) Put(About(WardenMessage::Kind::kNoSlot, id));
    slots_.erase(found);
    return;
  }
  if (!SamePlan(slot.plan_told, slot.plan))
    for (const WardenMessage& part : PlanMessages(id, slot.name, *slot.plan)) Put(part);
  slot.plan_told = slot.plan;
  if (slot.leads_told == slot.leads) return;
  slot.leads_told = slot.leads;
  Put(About(slot.leads ? WardenMessage::Kind::kLeads : WardenMessage::Kind::kFollows, id));
}

bool WardenPort::Flush() {
  if (!connected() || !ready_) return true;
  while (true) {
    for (; !waiting_.empty(); waiting_.pop_front())
      if (SendFirst() < 0) return errno == EAGAIN || errno == ENOBUFS;
    if (changed_links_.empty() && changed_slots_.empty()) return true;
    PutNext();
  }
}

ssize_t WardenPort::SendFirst() {
  Waiting& next = waiting_.front();
  iovec part = {next.bytes.data(), next.bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (next.link != nullptr || next.exchange != nullptr) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* passed = CMSG_FIRSTHDR(&header);
    passed->cmsg_level = SOL_SOCKET;
    passed->cmsg_type = SCM_RIGHTS;
    passed->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = next.link != nullptr ? next.link->sender.get() : next.exchange->memory();
    memcpy(CMSG_DATA(passed), &fd, sizeof fd);
  }
  ssize_t n;
  do {
    n = sendmsg(socket_->get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n;
}

// Ahead of everything that waits: it ends all of it. A warden that does not read it is killed.
void WardenPort::Dismiss() {
  if (!connected()) return;
  waiting_.clear();
  Put(About(WardenMessage::Kind::kDismiss, 0));
  SendFirst();
}

void WardenPort::Share(std::shared_ptr<const Exchange> exchange, ExchangeRole role) {
  const int32_t second = role == ExchangeRole::kSecond ? 1 : 0;
  Waiting first{Encode(About(WardenMessage::Kind::kExchange, second)), nullptr,
                std::move(exchange)};
  waiting_.push_front(std::move(first));
}

// One that is not ready yet has been told of no lead either.
bool WardenPort::shared() const {
  return !connected() || !ready_ ||
         std::ranges::none_of(waiting_, [](const Waiting& one) { return one.exchange != nullptr; });
}

void WardenPort::Vouch(Us now) {
  if (connected() && !lates_.empty()) PromiseFrom(now);
}

bool WardenPort::Awake(Us now) {
  if (!connected()) return false;
  Vouch(now);
  for (int i = 0; page_->state == WardenPage::kIntends && i < kIntentionLooks; ++i) {
  }
  const uint32_t state = page_->state;
  return state == WardenPage::kActing || state == WardenPage::kActed;
}

void WardenPort::TakeNote() {
  page_->awake_by = WardenPage::kNoPromise;
  // One that is still at it stays marked: no lead is kept before it has finished.
  uint32_t acted = WardenPage::kActed;
  page_->state.compare_exchange_strong(acted, WardenPage::kIdle);
}

void WardenPort::SleepUntil(Us next) {
  if (!connected()) return;
  if (lates_.empty() || next == kNever)
    page_->awake_by = WardenPage::kNoPromise;
  else
    PromiseFrom(next);
}

// A slot that wakes later than its `late` past its time resigns on its own; an engine that cannot
// even do that has broken the promise, a margin earlier.
void WardenPort::PromiseFrom(Us instant) { page_->awake_by = instant + lates_.begin()->first; }

}  // namespace vipd
