#!/bin/sh
# Runs the native tests with the addon built under AddressSanitizer and UndefinedBehaviorSanitizer, in a copy
# of its own that leaves build/ alone. $1: where the compiled tests are (dist).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-dist}
copy=$root/.work/asan
cd "$root"
mkdir -p "$copy"
cp "$root/binding.gyp" "$root/package.json" "$copy/"
ln -sfn "$root/native" "$copy/native"

# Not vptr: it looks at memory through a pipe, which a case without a free descriptor cannot have.
flags='-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -O1'
CXXFLAGS=$flags LDFLAGS='-fsanitize=address,undefined' \
  npm exec --offline -- node-gyp rebuild --directory "$copy" --loglevel warn

tests=$(find "$out/test/native" -name '*.test.js' | sort)
test -n "$tests" || { echo 'no tests found' >&2; exit 1; }
libraries="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)"
# Node keeps what it allocated until its end, which is no leak of ours. What is freed is kept for a while, but not so
# much that it looks like one.
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=1:quarantine_size_mb=8
export UBSAN_OPTIONS=print_stacktrace=1
export VIPD_ADDON="$copy/build/Release/vipd.node"
# shellcheck disable=SC2086
LD_PRELOAD=$libraries exec node --enable-source-maps --test $tests
