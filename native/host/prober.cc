// The client of the failover bench: asks an address by ICMP echo, every so many microseconds, and
// looks at no answer. The answers are seen on the wire; this process only has to be punctual, and
// to resolve the address as any client does.
//
// vipd-prober ADDRESS MICROSECONDS
#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

[[noreturn]] void Refuse(const char* what) {
  perror(what);
  exit(1);
}

// Over 16 bits, for a header without data.
uint16_t Checksum(const icmphdr& header) {
  const auto* word = reinterpret_cast<const uint16_t*>(&header);
  uint32_t sum = 0;
  for (size_t i = 0; i < sizeof header / 2; ++i) sum += word[i];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

int OpenSocket(const char* address) {
  const int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
  if (fd < 0) Refuse("socket");
  sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program = {1, &nothing};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
    Refuse("SO_ATTACH_FILTER");
  sockaddr_in to{};
  to.sin_family = AF_INET;
  if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
    fprintf(stderr, "not an IPv4 address: %s\n", address);
    exit(1);
  }
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) Refuse("connect");
  return fd;
}

int OpenTimer(long every) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  if (fd < 0) Refuse("timerfd_create");
  const timespec period = {every / 1'000'000, every % 1'000'000 * 1'000};
  const itimerspec when = {period, period};
  if (timerfd_settime(fd, 0, &when, nullptr) < 0) Refuse("timerfd_settime");
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  const long every = argc == 3 ? atol(argv[2]) : 0;
  if (every < 50) {
    fprintf(stderr, "vipd-prober ADDRESS MICROSECONDS (at least 50)\n");
    return 2;
  }
  // It stands for another machine, so it should not wait for a processor of this one.
  sched_param priority{};
  priority.sched_priority = 1;
  if (sched_setscheduler(0, SCHED_FIFO, &priority) < 0) perror("no real-time scheduling");
  const int fd = OpenSocket(argv[1]);
  const int timer = OpenTimer(every);
  icmphdr echo{};
  echo.type = ICMP_ECHO;
  echo.un.echo.id = static_cast<uint16_t>(getpid());
  // Ends with its host; its end needs no message. An unreachable address is what is measured.
  for (uint64_t rounds;;) {
    if (read(timer, &rounds, sizeof rounds) < 0) return 1;
    echo.un.echo.sequence = static_cast<uint16_t>(echo.un.echo.sequence + rounds);
    echo.checksum = 0;
    echo.checksum = Checksum(echo);
    [[maybe_unused]] const ssize_t n = send(fd, &echo, sizeof echo, MSG_DONTWAIT);
  }
}
