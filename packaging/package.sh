#!/bin/sh
# npm run package [-- [--revision N] DIRECTORY]: the Debian packages vipd and vipd-runtime for this architecture, into
# DIRECTORY (build/packages). The same sources give the same bytes: times are those of SOURCE_DATE_EPOCH (by default of
# the commit), owners root's, and what is built is stripped. Needs npm ci, and dpkg-dev and binutils of Debian 12.
set -eu
umask 022
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/.."
revision=1
if [ "${1-}" = --revision ]; then
  revision=$2
  shift 2
fi
out=${1:-build/packages}
architecture=$(dpkg --print-architecture)
version=$(node -p 'require("./package.json").version')-$revision
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The libraries that the programs need, with the versions that have their symbols.
libraries() {
  mkdir -p "$scratch/debian"
  printf 'Source: vipd\n\nPackage: vipd\nArchitecture: any\n' > "$scratch/debian/control"
  (cd "$scratch" && dpkg-shlibdeps -O --ignore-missing-info -e"$1" ${2+-e"$2"} ${3+-e"$3"} 2>/dev/null) |
    sed -n 's/^shlibs:Depends=//p'
}

document() { # DIRECTORY FILE...: into a documentation directory.
  to=$1
  shift
  mkdir -p "$to"
  install -m 644 "$@" "$to"
}

changelog() { # PACKAGE TREE
  mkdir -p "$2/usr/share/doc/$1"
  {
    printf 'vipd (%s) stable; urgency=medium\n\n  * Of the sources of this day; docs/ says what it does.\n\n' "$version"
    printf ' -- %s  %s\n' "$(cat packaging/maintainer)" "$(date -R -d "@$SOURCE_DATE_EPOCH")"
  } | gzip -9n > "$2/usr/share/doc/$1/changelog.Debian.gz"
}

# PACKAGE TREE LIBRARIES: control files, one time for everything, the archive. xz -2: -6 takes six times as long for a tenth.
archive() {
  control=$2/DEBIAN
  mkdir -p "$control"
  size=$(find "$2" -path "$control" -prune -o -type f -printf '%s\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
  sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$size/" \
    -e "s/@MAINTAINER@/$(cat packaging/maintainer)/; s/@LIBRARIES@/$3/" "packaging/$1/control" > "$control/control"
  for script in preinst postinst prerm postrm; do
    [ ! -f "packaging/$1/$script" ] || install -m 755 "packaging/$1/$script" "$control/$script"
  done
  for list in conffiles triggers; do
    [ ! -f "packaging/$1/$list" ] || install -m 644 "packaging/$1/$list" "$control/$list"
  done
  if [ -f "packaging/$1/lintian-overrides" ]; then
    document "$2/usr/share/lintian/overrides" "packaging/$1/lintian-overrides"
    mv "$2/usr/share/lintian/overrides/lintian-overrides" "$2/usr/share/lintian/overrides/$1"
  fi
  (cd "$2" && find . -path ./DEBIAN -prune -o -type f -printf '%P\n' | sort | xargs -d '\n' md5sum > DEBIAN/md5sums)
  find "$2" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  dpkg-deb --root-owner-group --threads-max=1 -Zxz -z2 --build "$2" "$out/$1_${version}_$architecture.deb" > /dev/null
  echo "$out/$1_${version}_$architecture.deb"
}

mkdir -p "$out"
. packaging/vipd/tree.sh
. packaging/vipd-runtime/tree.sh
