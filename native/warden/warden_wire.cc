#include "warden/warden_wire.h"

#include <algorithm>
#include <cstring>

namespace vipd {

namespace {

// Both ends are the same build on the same machine, so values cross as they lie in memory.
class Writer {
 public:
  template <typename Value>
  void Put(Value value) {
    const auto* begin = reinterpret_cast<const uint8_t*>(&value);
    out_.insert(out_.end(), begin, begin + sizeof value);
  }
  void PutBytes(std::span<const uint8_t> bytes) {
    Put(static_cast<uint32_t>(bytes.size()));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  Bytes Done() { return std::move(out_); }

 private:
  Bytes out_;
};

class Reader {
 public:
  explicit Reader(std::span<const uint8_t> in) : in_(in) {}

  template <typename Value>
  Value Get() {
    Value value{};
    const auto from = Take(sizeof value);
    if (ok_) memcpy(&value, from.data(), sizeof value);
    return value;
  }
  // A kind, or a truth, of which `last` is the greatest.
  template <typename Value>
  Value GetUpTo(Value last) {
    const Value value = Get<Value>();
    Expect(value <= last);
    return value;
  }
  void Expect(bool holds) { ok_ = ok_ && holds; }
  std::span<const uint8_t> GetBytes() { return Take(Get<uint32_t>()); }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && in_.empty(); }

 private:
  std::span<const uint8_t> Take(size_t count) {
    ok_ = ok_ && count <= in_.size();
    if (!ok_) return {};
    const auto taken = in_.first(count);
    in_ = in_.subspan(count);
    return taken;
  }

  std::span<const uint8_t> in_;
  bool ok_ = true;
};

void PutStep(Writer* writer, const Step& step) {
  writer->Put(step.kind);
  writer->Put(step.target);
  writer->PutBytes({step.to.octets.data(), step.to.length});
  writer->PutBytes(step.head);
  writer->PutBytes(step.bytes);
  writer->Put(static_cast<uint32_t>(step.tolerate.size()));
  for (const int error : step.tolerate) writer->Put(error);
}

Step GetStep(Reader* reader) {
  Step step;
  step.kind = reader->GetUpTo(StepKind::kFrame);
  step.target = reader->Get<int32_t>();
  const auto to = reader->GetBytes();
  reader->Expect(to.size() <= step.to.octets.size());
  if (!reader->ok()) return step;
  step.to.length = static_cast<uint8_t>(to.size());
  std::ranges::copy(to, step.to.octets.begin());
  const auto head = reader->GetBytes();
  step.head.assign(head.begin(), head.end());
  const auto bytes = reader->GetBytes();
  step.bytes.assign(bytes.begin(), bytes.end());
  const auto tolerated = reader->Get<uint32_t>();
  for (uint32_t i = 0; i < tolerated && reader->ok(); ++i)
    step.tolerate.push_back(reader->Get<int>());
  return step;
}

size_t SizeOf(const Step& step) {
  return 64 + step.head.size() + step.bytes.size() + step.tolerate.size() * sizeof(int);
}

// Where a character ends.
std::string_view Cut(std::string_view name) {
  if (name.size() <= kWardenNameMax) return name;
  size_t length = kWardenNameMax;
  while (length > 0 && (static_cast<uint8_t>(name[length]) & 0xc0) == 0x80) --length;
  return name.substr(0, length);
}

}  // namespace

Bytes Encode(const WardenMessage& message) {
  Writer writer;
  writer.Put(message.kind);
  writer.Put(message.id);
  writer.Put(message.ifindex);
  writer.Put(message.more);
  writer.PutBytes({reinterpret_cast<const uint8_t*>(message.name.data()), message.name.size()});
  writer.Put(static_cast<uint32_t>(message.steps.size()));
  for (const Step& step : message.steps) PutStep(&writer, step);
  return writer.Done();
}

std::optional<WardenMessage> Decode(std::span<const uint8_t> bytes) {
  Reader reader(bytes);
  WardenMessage message;
  message.kind = reader.GetUpTo(WardenMessage::Kind::kDismiss);
  message.id = reader.Get<int32_t>();
  message.ifindex = reader.Get<int32_t>();
  message.more = reader.GetUpTo(uint8_t{1}) != 0;
  const auto name = reader.GetBytes();
  reader.Expect(name.size() <= kWardenNameMax);
  if (!reader.ok()) return std::nullopt;
  message.name.assign(name.begin(), name.end());
  const auto count = reader.Get<uint32_t>();
  for (uint32_t i = 0; i < count && reader.ok(); ++i) message.steps.push_back(GetStep(&reader));
  if (!reader.done()) return std::nullopt;
  return message;
}

std::vector<WardenMessage> PlanMessages(SlotId slot, std::string_view name, const Plan& plan) {
  const auto part = [&] {
    WardenMessage message;
    message.kind = WardenMessage::Kind::kPlan;
    message.id = slot;
    message.name = Cut(name);
    return message;
  };
  std::vector<WardenMessage> out = {part()};
  size_t size = 0;
  for (const Step& step : plan.steps) {
    if (size + SizeOf(step) > kWardenMessageMax / 2 && !out.back().steps.empty()) {
      out.back().more = true;
      out.push_back(part());
      size = 0;
    }
    size += SizeOf(step);
    out.back().steps.push_back(step);
  }
  return out;
}

}  // namespace vipd
