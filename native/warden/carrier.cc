#include "warden/carrier.h"

#include <utility>

namespace vipd {

void Carrier::Add(Batch batch) {
  Carried carried;
  carried.batch = std::move(batch);
  datagrams_.Send(&carried);
  steps_.Add(std::move(carried));
}

void Carrier::Continue() {
  steps_.Continue();
  // What became of it is not asked for here.
  steps_.TakeFinished();
}

}  // namespace vipd
