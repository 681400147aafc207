// The decoders of the native side: what the warden is told, what the kernel tells about addresses,
// and its own words in an acknowledgement. Whatever the bytes, nothing outside of them is read; and
// what is understood is what was written.
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/netlink.h"
#include "engine/address_news.h"
#include "fuzz.h"
#include "warden/warden_wire.h"

namespace vipd {

namespace {

bool SameStep(const Step& a, const Step& b) {
  return a.kind == b.kind && a.target == b.target && a.to == b.to && a.head == b.head &&
         a.bytes == b.bytes && a.tolerate == b.tolerate;
}

void DecodeArbitrary(std::span<const uint8_t> bytes) {
  const auto message = Decode(bytes);
  if (!message.has_value()) return;
  const Bytes again = Encode(*message);
  Require(std::ranges::equal(again, bytes), "only what Encode makes is understood");
}

void CutPlan(Input* in) {
  std::vector<Step> steps;
  while (!in->empty() && steps.size() < 40) {
    const PlanPtr some = SomePlan(in);
    for (const Step& step : some->steps) {
      steps.push_back(step);
      // Long ones too, so that plans are cut.
      if (in->Below(4) == 0) steps.back().bytes.resize(static_cast<size_t>(in->Below(64)) * 256);
      if (step.kind == StepKind::kDatagram) steps.back().head.resize(in->Below(2) * 34u);
    }
  }
  const PlanPtr plan = MakePlan(std::move(steps));
  const std::string name(static_cast<size_t>(in->Below(300)), 'n');
  const std::vector<WardenMessage> parts = PlanMessages(7, name, *plan);
  std::vector<Step> joined;
  for (const WardenMessage& part : parts) {
    const Bytes bytes = Encode(part);
    Require(bytes.size() <= kWardenMessageMax, "a part fits into a message");
    const auto read = Decode(bytes);
    Require(read.has_value() && read->id == 7 && read->kind == part.kind, "a part is understood");
    Require(read->name == name.substr(0, kWardenNameMax), "the name, cut");
    Require(read->more == (&part != &parts.back()), "the last part says so");
    for (const Step& step : read->steps) joined.push_back(step);
  }
  Require(std::ranges::equal(joined, plan->steps, SameStep), "the parts are the plan");
}

// In memory that ends where the bytes end, aligned as the kernel's are.
void ReadNetlink(std::span<const uint8_t> bytes) {
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[bytes.size()]);
  if (!bytes.empty()) memcpy(copy.get(), bytes.data(), bytes.size());
  const std::span<const uint8_t> in(copy.get(), bytes.size());
  AddressNews news;
  size_t messages = 0;
  ForEachMessage(in, [&](const nlmsghdr* message) {
    messages += 1;
    Require(ExtendedText(message).size() < message->nlmsg_len, "the kernel's words are its own");
    return true;
  });
  const bool first = news.AnyNews(in);
  Require(messages > 0 || !first, "nothing is no news");
  news.AnyNews(in);
  news.Forget();
  Require(news.AnyNews(in) == first, "what was forgotten is news again");
}

}  // namespace

}  // namespace vipd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vipd::Input in({data, size});
  switch (in.Below(3)) {
    case 0:
      vipd::DecodeArbitrary(in.rest());
      break;
    case 1:
      vipd::CutPlan(&in);
      break;
    default:
      vipd::ReadNetlink(in.rest());
  }
  return 0;
}
