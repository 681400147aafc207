/** Packages made of others within a second or two: of another version, or with other files. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Replaces what matches in a file; throws where nothing does. */
export function edit(file: string, pattern: RegExp, replacement: string): void {
  const text = readFileSync(file, 'utf8')
  if (!pattern.test(text)) throw new Error(`${file}: nothing matches ${pattern}`)
  writeFileSync(file, text.replace(pattern, replacement))
}

/** Without compression, below `folder`. `change` gets the package's tree. */
export function repack(
  archive: string,
  folder: string,
  version: string,
  change: (tree: string) => void = () => undefined,
): string {
  mkdirSync(folder, { recursive: true })
  const tree = mkdtempSync(join(folder, 'tree.'))
  try {
    execFileSync('dpkg-deb', ['-R', archive, tree])
    edit(join(tree, 'DEBIAN/control'), /^Version: .*$/m, `Version: ${version}`)
    change(tree)
    const build = ['--root-owner-group', '-Znone', '--build', tree, folder]
    const said = execFileSync('dpkg-deb', build, { encoding: 'utf8' })
    return /in '(.*)'/.exec(said)?.[1] ?? said
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
}

/** vipd that says of itself that it is of that version. */
export const ofVersion = (
  archive: string,
  folder: string,
  version: string,
  change: (tree: string) => void = () => undefined,
): string =>
  repack(archive, folder, `${version}-1`, (tree) => {
    edit(join(tree, 'usr/lib/vipd/package.json'), /"version": "[^"]*"/, `"version": "${version}"`)
    change(tree)
  })

/** To the daemon's program: an order that a version before `vipd upgrade` does not know. */
export const withoutUpgrade = (tree: string): void =>
  edit(join(tree, 'usr/lib/vipd/dist/src/control/protocol.js'), /^ *'upgrade',\n/m, '')
