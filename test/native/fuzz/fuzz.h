// What the fuzz targets share: an input read piece by piece, plans drawn from it, and a claim that
// ends the process when it does not hold, so that the fuzzer keeps the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/plan.h"

namespace vipd {

class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : left_(bytes) {}

  bool empty() const { return left_.empty(); }
  // 0 when nothing is left.
  uint8_t Octet();
  // Below n, which is at most 256.
  int Below(int n) { return Octet() % n; }
  Bytes Octets(size_t max);
  std::span<const uint8_t> rest() const { return left_; }

 private:
  std::span<const uint8_t> left_;
};

void Require(bool holds, const char* claim);

// Few and short steps, often equal ones.
PlanPtr SomePlan(Input* in);
// Handed over in slices of this size, every step of the batch has its turn, in the order that the
// queue promises.
void CheckCarriedOut(const Batch& batch, size_t requests_max, size_t frames_max);

}  // namespace vipd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
