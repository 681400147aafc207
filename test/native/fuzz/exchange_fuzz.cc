// An exchange of slots at any instant, under any sequence of orders, packets and instants: see
// twins.h.
#include "fuzz.h"
#include "twins.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vipd::Input in({data, size});
  vipd::Twins(&in).Run();
  return 0;
}
