// Stands in for libFuzzer where it is missing: inputs of random octets and lengths, always the same
// for a seed. Arguments: seed, seconds, how many inputs at most (0: as many as fit into the time),
// and files that are inputs to be tried before.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "fuzz.h"

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  for (int i = 4; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::string octets{std::istreambuf_iterator<char>(file), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(octets.data()), octets.size());
  }
  const std::chrono::seconds span(atol(argv[2]));
  const long most = atol(argv[3]);
  std::mt19937_64 random(strtoull(argv[1], nullptr, 10));
  const auto begin = std::chrono::steady_clock::now();
  long done = 0;
  while ((most == 0 || done < most) && std::chrono::steady_clock::now() - begin < span) {
    vipd::Bytes input(random() % (random() % 4 == 0 ? 8'192 : 512));
    // Small octets often: they are lengths and choices.
    for (uint8_t& octet : input)
      octet = static_cast<uint8_t>(random() >> (random() % 4 == 0 ? 61 : 56));
    LLVMFuzzerTestOneInput(input.data(), input.size());
    done += 1;
  }
  printf("%ld inputs\n", done);
  return 0;
}
