#!/bin/sh
# Prints the path of the unpacked package of Node.js that node.lock names for an architecture of Debian. It is fetched once
# into a cache outside of the tree (VIPD_CACHE, else ~/.cache/vipd), and used only with the integrity of node.lock.
set -eu
here=$(dirname "$0")
line=$(grep "^$1 " "$here/node.lock") || { echo "packaging: node.lock has no Node.js for $1" >&2; exit 1; }
package=$(echo "$line" | cut -d' ' -f2)
integrity=$(echo "$line" | cut -d' ' -f3)
name=$(echo "$package" | tr @ -)
cache=${VIPD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vipd}
mkdir -p "$cache"

sum() { node -p 'const fs = require("fs"), crypto = require("crypto")
  "sha512-" + crypto.createHash("sha512").update(fs.readFileSync(process.argv[1])).digest("base64")' "$1"; }

# In a directory of its own until it is whole: two runs may fetch at once, and one may be interrupted.
part=$(mktemp -d "$cache/part.XXXXXX")
trap 'rm -rf "$part"' EXIT
if [ ! -f "$cache/$name.tgz" ]; then
  npm pack "$package" --pack-destination "$part" --silent > "$part/out"
  mv "$part/$name.tgz" "$cache/$name.tgz"
fi
found=$(sum "$cache/$name.tgz")
if [ "$found" != "$integrity" ]; then
  rm -f "$cache/$name.tgz"
  echo "packaging: $package has the integrity $found, node.lock says $integrity" >&2
  exit 1
fi
if [ ! -d "$cache/$name" ]; then
  tar -xzf "$cache/$name.tgz" -C "$part" package/bin/node package/LICENSE
  mv "$part/package" "$cache/$name" 2>/dev/null || [ -d "$cache/$name" ]
fi
echo "$cache/$name"
