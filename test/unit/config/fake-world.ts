/**
 * A machine as a table, for tests of the configuration: files, interfaces and users are what the test
 * says and nothing else. Relative paths stand as they are written; a directory exists when a file lies
 * under it.
 */
import type { ForeignAddress, World } from '../../../src/config/world.ts'

type FileFacts = {
  readonly text: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** A file that is there but cannot be read. */
  readonly unreadable?: boolean
}

export type FakeMachine = {
  /** Path → content, or content with facts. Mode is 0o644 and the owner root unless said otherwise. */
  readonly files?: Readonly<Record<string, string | FileFacts>>
  /** Directory → mode; other directories are 0o755. */
  readonly directories?: Readonly<Record<string, number>>
  /** Link → target, absolute paths; followed at the end of a path only. */
  readonly links?: Readonly<Record<string, string>>
  readonly interfaces?: readonly string[]
  /** Absent: there is every one. */
  readonly namespaces?: readonly string[]
  /** Paths on a file system that cannot be written. */
  readonly readOnly?: readonly string[]
  /** Interfaces of that list without the multicast flag. */
  readonly withoutMulticast?: readonly string[]
  readonly users?: Readonly<
    Record<string, { uid: number; gid: number; groups?: readonly number[] }>
  >
  readonly groups?: Readonly<Record<string, number>>
  readonly hostname?: string
  /** By interface. */
  readonly foreign?: Readonly<Record<string, readonly ForeignAddress[]>>
  readonly mtus?: Readonly<Record<string, number>>
  readonly environment?: Readonly<Record<string, string>>
  /** The numbers that random() gives in turn, again from the start; default 0. */
  readonly random?: readonly number[]
  readonly uid?: number
  readonly path?: readonly string[]
}

export function fakeWorld(machine: FakeMachine = {}): World {
  const { interfaces = ['lo', 'eth0', 'eth1'], withoutMulticast = ['lo'] } = machine
  const files = new Map(
    Object.entries(machine.files ?? {}).map(([path, facts]): [string, FileFacts] => [
      path,
      typeof facts === 'string' ? { text: facts } : facts,
    ]),
  )
  const directories = directoriesOf(files, machine.directories ?? {})
  const follow = (path: string): string => machine.links?.[path] ?? path
  const exists = (path: string): boolean => files.has(path) || directories.has(path)
  let drawn = 0
  return {
    readFile: (path) => {
      const facts = files.get(follow(path))
      if (facts === undefined) return { why: 'there is no such file', limit: false }
      if (facts.unreadable === true) return { why: 'permission denied', limit: false }
      return { text: facts.text }
    },
    glob: (pattern) => {
      const names = [...files.keys(), ...directories.keys(), ...Object.keys(machine.links ?? {})]
      return names.filter((name) => globMatches(pattern, name)).sort()
    },
    hostname: machine.hostname ?? 'alpha.example.net',
    environment: machine.environment ?? {},
    random: () => {
      const numbers = machine.random ?? [0]
      return numbers[drawn++ % numbers.length] ?? 0
    },
    useNamespace: (name) => (machine.namespaces?.includes(name) === false ? 'ENOENT' : null),
    interfaceExists: (name) => interfaces.includes(name),
    readOnly: (path) => machine.readOnly?.includes(path) ?? false,
    interfaceMtu: (name) => machine.mtus?.[name] ?? null,
    foreignAddresses: (name) => machine.foreign?.[name] ?? [],
    interfaceMulticast: (name) => interfaces.includes(name) && !withoutMulticast.includes(name),
    user: (name) => {
      const user = { root: { uid: 0, gid: 0 }, ...machine.users }[name]
      return user === undefined ? null : { groups: [user.gid], ...user }
    },
    group: (name) => ({ root: 0, ...machine.groups })[name] ?? null,
    stat: (path) => {
      const real = follow(path)
      const mode = directories.get(real)
      if (mode !== undefined) return { kind: 'directory', mode, uid: 0, gid: 0 }
      const facts = files.get(real)
      if (facts === undefined) return null
      return { kind: 'file', mode: facts.mode ?? 0o644, uid: facts.uid ?? 0, gid: facts.gid ?? 0 }
    },
    realpath: (path) => (exists(follow(path)) ? follow(path) : null),
    readlink: (path) => machine.links?.[path] ?? null,
    firstLine: (path) => files.get(follow(path))?.text.split('\n', 1)[0] ?? null,
    uid: machine.uid ?? 0,
    path: machine.path ?? [
      '/usr/local/sbin',
      '/usr/local/bin',
      '/usr/sbin',
      '/usr/bin',
      '/sbin',
      '/bin',
    ],
  }
}

function directoriesOf(
  files: ReadonlyMap<string, FileFacts>,
  given: Readonly<Record<string, number>>,
): Map<string, number> {
  const found = new Map<string, number>()
  for (const path of [...files.keys(), ...Object.keys(given).map((name) => `${name}/.`)]) {
    for (let at = path.lastIndexOf('/'); at >= 0; at = path.lastIndexOf('/', at - 1)) {
      found.set(at === 0 ? '/' : path.slice(0, at), 0o755)
      if (at === 0) break
    }
  }
  for (const [path, mode] of Object.entries(given)) found.set(path, mode)
  return found
}

/** glob(7) without braces: `*`, `?` and `[…]` do not match a slash, nor a dot at the start of a name. */
function globMatches(pattern: string, path: string): boolean {
  const parts = pattern.split('/')
  const names = path.split('/')
  return (
    parts.length === names.length && parts.every((part, i) => partMatches(part, names[i] ?? ''))
  )
}

function partMatches(part: string, name: string): boolean {
  if (name.startsWith('.') && !part.startsWith('.')) return false
  const source = part.replace(/\[!?[^\]]+\]|[\s\S]/g, (piece) => {
    if (piece === '*') return '[^/]*'
    if (piece === '?') return '[^/]'
    if (piece.length > 1) return piece.replace('[!', '[^')
    return piece.replace(/[\\^$.|+()[\]{}]/g, '\\$&')
  })
  return new RegExp(`^${source}$`).test(name)
}
