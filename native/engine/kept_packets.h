// The packets of the last moments, while another process still answers for the slots: what it had
// not read any more when it gave them is taken up from here. Bounded in time and in number.
#pragma once

#include <deque>

#include "engine/packet.h"

namespace vipd {

class KeptPackets {
 public:
  // `span` in µs (`exchange_kept`): what was read longer ago than that is dropped.
  explicit KeptPackets(Us span) : span_(span) {}

  // Copies the packet; of more than kMost the oldest is dropped.
  void Keep(LinkId link, const Packet& packet, Us now) {
    while (!kept_.empty() && (kept_.size() >= kMost || kept_.front().at < now - span_))
      kept_.pop_front();
    kept_.push_back(
        {link, packet.from, packet.ttl, Copy(packet.header), Copy(packet.payload), now});
  }

  // Hands out those that were read at `from` or later, and forgets all.
  template <typename Take>
  void Replay(Us from, Take take) {
    for (const Kept& kept : kept_)
      if (kept.at >= from)
        take(kept.link, Packet{kept.from, kept.ttl, kept.header, kept.payload}, kept.at);
    kept_.clear();
  }

 private:
  // A second of adverts of a thousand instances at 100 ms, some megabytes.
  static constexpr size_t kMost = 10'000;

  struct Kept {
    LinkId link;
    Address from;
    int ttl;
    Bytes header;
    Bytes payload;
    Us at;
  };

  static Bytes Copy(std::span<const uint8_t> octets) { return {octets.begin(), octets.end()}; }

  const Us span_;
  std::deque<Kept> kept_;
};

}  // namespace vipd
