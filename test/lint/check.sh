#!/bin/sh
# `npm run check`: everything that can be said of the code without running it. The parts run beside each other, and the
# program is built once, for those that read what it says of itself. Their output comes in one piece each, in this order;
# status 1 when one of them has something to say.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# part NAME COMMAND...: in the background.
part() {
  name=$1
  shift
  parts="$parts $name"
  { "$@" > "$scratch/$name" 2>&1; echo $? > "$scratch/$name.status"; } &
}

built() {
  npm run -s build:ts && node dist/src/cli/docs.js --check && node dist/test/rfc9568/write-conformance.js --check &&
    node dist/test/lint/write-map.js --check && node dist/test/lint/walls.js
}

parts=
part types-docs-walls built
part biome npx biome ci .
part knip npx knip
# What only tests use is dead as well. Tagged @codec: the reading half of a codec whose writing half ships; that each
# proves the other is its use.
part production npx knip --production --tags=-codec
part native npm run -s check:native
wait

failed=0
for name in $parts; do
  status=$(cat "$scratch/$name.status")
  test "$status" = 0 && continue
  echo "check: $name failed"
  cat "$scratch/$name"
  failed=1
done
exit $failed
