#include "base/lasting_thread.h"

#include <pthread.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/signals.h"

namespace vipd {
namespace {

// Such a thread calls the kernel and little else; the default of 8 MiB would be locked in memory.
constexpr std::size_t kStackBytes = 256 * 1'024;

class LastingThread {
 public:
  // null and errno when the system has no thread for us.
  static LastingThread* Start() {
    auto* thread = new LastingThread();
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    const SignalsBlocked blocked;
    pthread_t id;
    const int error = pthread_create(&id, &attributes, Main, thread);
    pthread_attr_destroy(&attributes);
    if (error == 0) return thread;
    delete thread;
    errno = error;
    return nullptr;
  }

  void Run(const std::function<void()>& task) {
    std::unique_lock lock(mutex_);
    task_ = &task;
    changed_.notify_all();
    changed_.wait(lock, [this] { return task_ == nullptr; });
  }

 private:
  static void* Main(void* data) {
    auto* self = static_cast<LastingThread*>(data);
    pthread_setname_np(pthread_self(), "vipd-programs");
    std::unique_lock lock(self->mutex_);
    for (;;) {
      self->changed_.wait(lock, [self] { return self->task_ != nullptr; });
      (*self->task_)();
      self->task_ = nullptr;
      self->changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* task_ = nullptr;
};

// Never destroyed: the threads use them until the process is gone.
struct Idle {
  std::mutex mutex;
  std::vector<LastingThread*> threads;
};
Idle& IdleThreads() {
  static auto* const idle = new Idle();
  return *idle;
}

}  // namespace

int OnLastingThread(const std::function<void()>& task) {
  Idle& idle = IdleThreads();
  LastingThread* thread = nullptr;
  {
    const std::lock_guard lock(idle.mutex);
    if (!idle.threads.empty()) {
      thread = idle.threads.back();
      idle.threads.pop_back();
    }
  }
  if (thread == nullptr) thread = LastingThread::Start();
  if (thread == nullptr) return errno;
  thread->Run(task);
  const std::lock_guard lock(idle.mutex);
  idle.threads.push_back(thread);
  return 0;
}

}  // namespace vipd
