# Read by package.sh: Node.js, and nothing else.
fetched=$(sh packaging/fetch-node.sh "$architecture")
tree=$scratch/vipd-runtime
mkdir -p "$tree/usr/lib/vipd"
strip -R .comment -o "$tree/usr/lib/vipd/node" "$fetched/bin/node"
chmod 755 "$tree/usr/lib/vipd/node"
document "$tree/usr/share/doc/vipd-runtime" packaging/vipd-runtime/copyright
cat "$fetched/LICENSE" >> "$tree/usr/share/doc/vipd-runtime/copyright"
changelog vipd-runtime "$tree"
archive vipd-runtime "$tree" "$(libraries "$tree/usr/lib/vipd/node")"
