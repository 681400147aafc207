// See core_life.h.
#include "core_life.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vipd::Input in({data, size});
  vipd::Life(&in).Run();
  return 0;
}
