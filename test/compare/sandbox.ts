/**
 * A host whose file system is a copy of this machine's that forgets what is written to it: the scripts and users that
 * a stranger's configuration names are made in there, and what those scripts do stays in there.
 */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Child } from '../../src/lab/child.ts'
import type { Host, Ran } from '../../src/lab/host.ts'
import { type Lab, openLab } from '../../src/lab/lab.ts'
import { projectRoot } from '../../src/lab/program.ts'

const root = '/run/lab/root'

export type Sandbox = {
  readonly lab: Lab
  readonly host: Host
  readonly run: (command: string, args: readonly string[]) => Promise<Ran>
  readonly spawn: (command: string, args: readonly string[]) => Child
}

/** `links`: the interfaces it has, each with an address. The file must not lie below /tmp or /run, which are each host's own. */
export async function inSandbox<T>(
  path: string,
  links: readonly string[],
  use: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const lab = await openLab({ name: 'compare' })
  try {
    const addresses = links.map((name, i) => [name, [`10.200.${i}.1/24`]] as const)
    const host = await lab.host('one', { addresses: Object.fromEntries(addresses) })
    await copyOfThisMachine(host, [projectRoot, dirname(process.execPath), dirname(path)])
    const inside = (command: string, args: readonly string[]) => [root, command, ...args]
    const sandbox: Sandbox = {
      lab,
      host,
      run: (command, args) => host.run('chroot', inside(command, args)),
      spawn: (command, args) => host.spawn('chroot', inside(command, args)),
    }
    const text = readFileSync(path, 'utf8')
    await sandbox.run('sh', [
      '-c',
      [...usersOf(text).map(withUser), ...scriptsOf(text).map(withScript)].join('\n'),
    ])
    return await use(sandbox)
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : error}`)
  } finally {
    await lab.close()
  }
}

/** Mounts do not show through the copy: what `needed` names is mounted where it is not there. */
async function copyOfThisMachine(host: Host, needed: readonly string[]): Promise<void> {
  const layers = '/run/lab/layers'
  const visible = ['/proc', '/sys', '/dev', '/run', '/tmp']
  await host.sh(
    [
      'set -e',
      `mkdir -p ${root} ${layers}; mount -t tmpfs tmpfs ${layers}; mkdir ${layers}/upper ${layers}/work`,
      `mount -t overlay -o lowerdir=/,upperdir=${layers}/upper,workdir=${layers}/work overlay ${root}`,
      ...visible.map((path) => `mount --rbind ${path} ${root}${path}`),
      ...needed.map(
        (path) =>
          `[ -e '${root}${path}' ] || { mkdir -p '${root}${path}'; mount --rbind '${path}' '${root}${path}'; }`,
      ),
    ].join('\n'),
  )
}

/** Lines that name a program: what follows the keyword, without its quotes. */
function commandsIn(text: string): readonly string[] {
  const line =
    /^\s*(?:script|notify(?:_\w+)?|misc_path|\w*fifo_script|\w+_script)\s+\\?["']?([^"'#!\n]+)/gm
  return [...text.matchAll(line)].map((found) => found[1]?.trim() ?? '')
}

/** Absolute paths that look like a script's: the command, and what an interpreter is given. */
function scriptsOf(text: string): readonly string[] {
  const words = commandsIn(text).flatMap((command) => command.split(/\s+/).slice(0, 2))
  return [...new Set(words)].filter(
    (word) => /^\/[\w./-]+$/.test(word) && !word.startsWith('/dev/'),
  )
}

function usersOf(text: string): readonly string[] {
  const lines = text.matchAll(/^\s*(?:script_user|user)\s+([a-z_][\w-]*)(?:\s+([a-z_][\w-]*))?/gm)
  return [...new Set([...lines].flatMap((found) => [found[1] ?? '', found[2] ?? '']))].filter(
    Boolean,
  )
}

const withScript = (path: string): string =>
  `[ -e ${path} ] || { mkdir -p ${dirname(path)}; printf '#!/bin/sh\\nexit 0\\n' > ${path}; chmod 755 ${path}; }`

const withUser = (name: string): string =>
  `getent group ${name} >/dev/null || groupadd ${name}; getent passwd ${name} >/dev/null || useradd -M -g ${name} ${name}`
