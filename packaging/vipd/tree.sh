# Read by package.sh: everything of vipd but Node.js. What is built is below build/Release, as in a source tree.
tree=$scratch/vipd
lib=$tree/usr/lib/vipd
doc=$tree/usr/share/doc/vipd

# ---- programs
mkdir -p "$lib/dist" "$lib/build/Release" "$lib/node_modules"
cp -r dist/src "$lib/dist/src"
# Source maps are of no use without sources. What writes the documentation is not for the target.
find "$lib/dist" -name '*.map' -delete
rm "$lib/dist/src/cli/docs.js"
find "$lib/dist" -name '*.js' -exec sed -i '/^\/\/# sourceMappingURL=/d' {} +
node -e 'const { name, version, description, license, type } = require("./package.json")
  console.log(JSON.stringify({ name, version, description, license, type }, null, 2))' > "$lib/package.json"
for built in vipd.node vipd-warden vipd-prober; do
  strip --strip-unneeded -R .comment -o "$lib/build/Release/$built" "build/Release/$built"
done

# ---- what npm has installed of the dependencies, without what only development needs
modules=$(npm ls --omit=dev --omit=optional --all --parseable 2>/dev/null | sed "s|^$PWD/\{0,1\}||" |
  grep -v -e '^$' -e node-addon-api -e msgpackr-extract -e node-gyp-build-optional -e detect-libc | sort)
{
  cat packaging/vipd/copyright
  for module in $modules; do
    mkdir -p "$lib/$module"
    cp -r "$module/." "$lib/$module"
    license=$(ls "$module" | grep -i '^licen[cs]e' | head -1)
    printf '\nFiles: usr/lib/vipd/%s/*\n' "$module"
    printf 'Copyright: %s\n' "$(grep -i -m1 '^[ *]*copyright' "$module/$license" | sed 's/^[ *]*copyright *//I')"
    printf 'License: %s-%s\n' "$(node -p "require('./$module/package.json').license")" "$(basename "$module")"
    tr -d '\r' < "$module/$license" | sed -e 's/[ \t]*$//' -e 's/^$/./' -e 's/^/ /'
  done
} > "$scratch/copyright"
document "$doc" "$scratch/copyright"
(
  cd "$lib/node_modules"
  find . -type d \( -name test -o -name tests -o -name docs -o -name examples -o -name benchmarks -o -name benchmark \
    -o -name .github \) -prune -exec rm -rf {} +
  find . -type f ! -name '*.js' ! -name '*.cjs' ! -name '*.mjs' ! -name package.json ! -name '*.json' -delete
  find . -type f \( -name 'eslint.config.*' -o -name 'rollup.config.*' -o -name tsconfig.json -o -name '.*' \
    -o -name 'bench*.js' -o -name 'test*.js' \) -delete
  find . -type d -empty -delete
)
find "$tree" -type f -exec chmod 644 {} +
find "$tree" -type d -exec chmod 755 {} +
chmod 755 "$lib/build/Release/vipd-warden" "$lib/build/Release/vipd-prober"
# No file is a program by itself: /usr/bin/vipd chooses the Node.js.
find "$lib" -name '*.js' -exec sed -i '1{/^#!/d}' {} +
install -D -m 755 packaging/vipd/launcher "$tree/usr/bin/vipd"

# ---- the system's side
install -D -m 644 systemd/vipd.service "$tree/usr/lib/systemd/system/vipd.service"
install -D -m 644 systemd/sysusers.d/vipd.conf "$tree/usr/lib/sysusers.d/vipd.conf"
install -D -m 644 packaging/vipd/needrestart "$tree/etc/needrestart/conf.d/vipd.conf"
mkdir -p "$tree/etc/vipd"
complete() { # SHELL FILE
  mkdir -p "$(dirname "$tree/usr/share/$2")"
  node dist/src/cli/run.js completion "$1" > "$tree/usr/share/$2"
}
complete bash bash-completion/completions/vipd
complete zsh zsh/vendor-completions/_vipd
complete fish fish/vendor_completions.d/vipd.fish

# ---- documentation
for page in man/*; do
  section=${page##*.}
  mkdir -p "$tree/usr/share/man/man$section"
  gzip -9n < "$page" > "$tree/usr/share/man/man$section/${page##*/}.gz"
done
document "$doc" README.md CHANGELOG.md
document "$doc/docs" docs/*.md
document "$doc/docs/pictures" docs/pictures/*
document "$doc/examples" packaging/vipd/vipd.conf
cp -r contrib/. systemd/drop-ins "$doc/examples"
# The pages link to it by this name.
ln -s examples "$doc/contrib"
changelog vipd "$tree"
find "$doc" -type f -exec chmod 644 {} +
find "$doc" -type d -exec chmod 755 {} +

archive vipd "$tree" \
  "$(libraries "$lib/build/Release/vipd.node" "$lib/build/Release/vipd-warden" "$lib/build/Release/vipd-prober")"
