#!/bin/sh
# Runs the engine's tests with the addon built under ThreadSanitizer, in a copy of its own that leaves build/ alone:
# the threads of the engine and of heard frames against JavaScript. $1: where the compiled tests are (dist).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-dist}
copy=$root/.work/tsan
cd "$root"
mkdir -p "$copy"
cp "$root/binding.gyp" "$root/package.json" "$copy/"
ln -sfn "$root/native" "$copy/native"

CXXFLAGS='-fsanitize=thread -fno-omit-frame-pointer -g -O1' LDFLAGS='-fsanitize=thread' \
  npm exec --offline -- node-gyp rebuild --directory "$copy" --loglevel warn

# A test process in which a race was seen ends with status 66, and so fails.
export TSAN_OPTIONS="exitcode=66:suppressions=$root/test/native/tsan.supp"
export VIPD_ADDON="$copy/build/Release/vipd.node"
LD_PRELOAD=$(g++ -print-file-name=libtsan.so) exec node --enable-source-maps --test "$out/test/native/engine.test.js" "$out/test/native/frames.test.js"
