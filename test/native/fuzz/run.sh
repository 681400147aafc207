#!/bin/sh
# The C++ side under libFuzzer with AddressSanitizer and UndefinedBehaviorSanitizer, target after target; with g++
# and random inputs where clang has no libFuzzer (Debian: clang-14 and libclang-rt-14-dev).
# $1: seconds for each target. Environment: SEED, otherwise one of the moment; CORPUS, a folder to go on from;
# FUZZ_INPUTS, to end by the number of inputs, which are the same each time; FUZZ_ENGINE=random, to do without libFuzzer.
# An input that fails is left beside the corpus, and printed.
set -eu
seconds=${1:-60}
if test -n "${FUZZ_INPUTS:-}"; then seed=${SEED:-1}; else seed=${SEED:-$(date +%s)}; fi
root=$(cd "$(dirname "$0")/../../.." && pwd)
scratch=$(mktemp -d)
corpus=${CORPUS:-$scratch/corpus}
trap 'rm -rf "$scratch/build"; rmdir "$scratch" 2>/dev/null || true' EXIT
mkdir "$scratch/build"

core='engine/core engine/core_events engine/core_exchange engine/core_orders engine/core_time'

# Of a target: what it drives, below native/, and what it consists of beside its own file, here.
sources() {
  case $1 in
    core_fuzz | exchange_fuzz) echo "$core" engine/ah_check engine/seal_check engine/trailer_check base/ah base/plan base/seal base/seal_table base/step_queue crypto/md5 crypto/sha256 ;;
    bfd_fuzz) echo engine/bfd_core base/plan base/step_queue ;;
    seal_fuzz) echo engine/packet engine/ah_check engine/seal_check engine/trailer_check base/ah base/plan base/seal base/seal_table base/step_queue crypto/md5 crypto/sha256 ;;
    wire_fuzz) echo engine/address_news base/netlink base/plan base/step_queue warden/warden_wire ;;
  esac
}

parts() {
  case $1 in
    core_fuzz) echo core_inputs core_life core_life_orders core_life_packets core_life_time ;;
    exchange_fuzz) echo core_inputs twins ;;
  esac
}

targets='core_fuzz exchange_fuzz wire_fuzz seal_fuzz bfd_fuzz'

# Each source once, whichever targets it is in; as many at a time as there are processors.
compile() {
  for target in $targets; do
    echo "test/native/fuzz/$target"
    for name in $(sources "$target"); do echo "native/$name"; done
    for name in $(parts "$target"); do echo "test/native/fuzz/$name"; done
  done | cat - "$scratch/build/own" | sort -u |
    xargs -P "$(nproc)" -I NAME sh -c 'exec "$0" "$@" -c -o "$OUT/$(echo NAME | tr / _).o"' \
      "$compiler" -I"$root/native" -std=c++20 -O1 -g1 -Wall -Wextra -fno-omit-frame-pointer \
      -fno-sanitize-recover=undefined ${sanitizers:+-fsanitize="$sanitizers"} "$root/NAME.cc"
}

link() {
  objects=
  for name in "test/native/fuzz/$1" $(cat "$scratch/build/own"); do objects="$objects $(object "$name")"; done
  for name in $(sources "$1"); do objects="$objects $(object "native/$name")"; done
  for name in $(parts "$1"); do objects="$objects $(object "test/native/fuzz/$name")"; done
  # shellcheck disable=SC2086
  "$compiler" ${sanitizers:+-fsanitize="$sanitizers"} $objects -o "$scratch/build/$1"
}

object() { echo "$scratch/build/$(echo "$1" | tr / _).o"; }

builds() {
  "$@" "$scratch/build/probe.cc" -o "$scratch/build/probe" 2>/dev/null
}

# The first clang that has libFuzzer; nothing if there is none.
fuzzing_clang() {
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char *, unsigned long) { return 0; }' \
    > "$scratch/build/probe.cc"
  for clang in clang++ clang++-19 clang++-18 clang++-17 clang++-16 clang++-15 clang++-14; do
    builds "$clang" -fsanitize=fuzzer,address,undefined || continue
    echo "$clang"
    return
  done
}

# What g++ can watch for: nothing if its sanitizers are not installed.
gcc_sanitizers() {
  echo 'int main() { return 0; }' > "$scratch/build/probe.cc"
  if builds g++ -fsanitize=address,undefined; then echo address,undefined; fi
}

export UBSAN_OPTIONS=print_stacktrace=1
clang=
test "${FUZZ_ENGINE:-}" = random || clang=$(fuzzing_clang)
if test -n "$clang"; then
  about="libFuzzer ($clang)"
  compiler=$clang
  sanitizers=fuzzer,address,undefined
  driver=
else
  test "${FUZZ_ENGINE:-}" = random ||
    echo 'no clang++ with libFuzzer (Debian: clang-14 and libclang-rt-14-dev): random inputs instead' >&2
  compiler=g++
  sanitizers=$(gcc_sanitizers)
  about="random inputs (g++, ${sanitizers:-without sanitizers})"
  driver=test/native/fuzz/driver
fi

OUT=$scratch/build
export OUT
printf '%s\n' test/native/fuzz/fuzz $driver > "$scratch/build/own"
compile

# libFuzzer learns from what is compared, addresses among it, and reads its corpus again now and then: without either,
# the same seed gives the same inputs. Not every container may do without random addresses.
same_addresses=
if setarch -R true 2>/dev/null; then same_addresses='setarch -R'; fi

search() {
  mkdir -p "$corpus/$target"
  # shellcheck disable=SC2086
  $same_addresses "$scratch/build/$target" -seed="$seed" -max_total_time="$seconds" -reload=0 \
    ${FUZZ_INPUTS:+-runs="$FUZZ_INPUTS"} -max_len=4096 -len_control=0 -timeout=10 -verbosity=0 -print_funcs=0 \
    -print_final_stats=1 -artifact_prefix="$corpus/$target-" "$corpus/$target" && return
  for failed in "$corpus/$target"-*; do
    echo "$failed:"
    base64 "$failed"
  done
  return 1
}

for target in $targets; do link "$target"; done
for target in $targets; do
  echo "$target: $about, seed $seed, $seconds s"
  # What was found before: one input for each fault.
  cases=$(find "$root/test/native/fuzz/cases/$target" -type f 2>/dev/null | sort)
  if test -n "$clang"; then
    # shellcheck disable=SC2086
    test -z "$cases" || "$scratch/build/$target" -verbosity=0 $cases
    search
  else
    # shellcheck disable=SC2086
    "$scratch/build/$target" "$seed" "$seconds" "${FUZZ_INPUTS:-0}" $cases
  fi
done
rm -rf "$scratch/corpus"
