/**
 * The machine as the parser asks for it. Read with plain files and system calls, never through a resolver
 * or a command, and within bounds. A file system may hang all the same: the daemon asks on a thread of its own
 * (loader.ts).
 */
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import { enterNetwork, namespacePath } from '../addon/surroundings.ts'
import type { ForeignAddress, World } from '../config/world.ts'
import { FileReader, type MarkedFile } from './files.ts'
import { glob, usualAllowance } from './glob.ts'

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const multicastFlag = 0x1000
/** execve(2) looks at so much of a script. */
const firstLineBytesMax = 255

/** A pattern and what it matched; null: more names than may be looked at. */
export type Matched = { readonly pattern: string; readonly paths: readonly string[] | null }

/** What the configuration depended on when it was read. */
export type Seen = { readonly files: readonly MarkedFile[]; readonly patterns: readonly Matched[] }

export type Machine = World & {
  /** All that `readFile` and `glob` were asked for. */
  seen(): Seen
}

export type MachineOptions = {
  /** Interfaces that count as existing although they are absent at the moment. */
  readonly known?: readonly string[]
  /** The network namespace that this process is in already, whatever the file says. */
  readonly namespace?: string | null
  /** What other programs have put on the interfaces. */
  readonly readHeld?: () => ReadonlyMap<string, readonly ForeignAddress[]>
}

/** Users, groups and interfaces are looked up once, at their first use: one machine serves one reading. */
export function realMachine(options: MachineOptions = {}): Machine {
  const { known = [], namespace = null, readHeld = () => new Map() } = options
  const users = once(readUsers)
  const groups = once(readGroups)
  const interfaces = once(() => new Set([...readInterfaces(), ...known]))
  const held = once(readHeld)
  const network = new Network(namespace)
  const files = new FileReader()
  const allowance = usualAllowance()
  const patterns = new Map<string, readonly string[] | null>()
  return {
    readFile: (path) => files.read(path),
    glob: (pattern) => {
      const paths = glob(pattern, allowance)
      if (!patterns.has(pattern)) patterns.set(pattern, paths)
      return paths
    },
    seen: () => ({
      files: files.seen,
      patterns: [...patterns].map(([pattern, paths]) => ({ pattern, paths })),
    }),
    hostname: hostname(),
    environment: process.env,
    random: Math.random,
    useNamespace: (name) => network.use(name),
    interfaceExists: (name) => !network.seen || interfaces().has(name),
    interfaceMulticast: (name) => !network.sysIsOurs || interfaceMulticast(name),
    readOnly,
    interfaceMtu: (name, family) => (network.sysIsOurs ? interfaceMtu(name, family) : null),
    foreignAddresses: (name) => (network.seen ? (held().get(name) ?? []) : []),
    user: (name) => {
      const user = users().get(name)
      if (user === undefined) return null
      const others = groups().filter((g) => g.gid !== user.gid && g.members.includes(name))
      return { ...user, groups: [user.gid, ...others.map((g) => g.gid)] }
    },
    group: (name) => groups().find((g) => g.name === name)?.gid ?? null,
    stat: (path) => {
      const facts = stat(path)
      if (facts === null) files.missing(path)
      return facts
    },
    realpath: (path) => attempt(() => realpathSync(path)),
    readlink: (path) => attempt(() => readlinkSync(path)),
    firstLine: (path) => attempt(() => firstLine(path)),
    uid: process.getuid?.() ?? 0,
    path: (process.env['PATH'] ?? defaultPath).split(':').filter((part) => part !== ''),
  }
}

/** The network namespace of this thread, which that of its process may be no longer. */
class Network {
  /** Its interfaces can be asked for. */
  seen = true
  /** The mounted /sys shows them. */
  sysIsOurs: boolean
  readonly #inForce: string | null

  constructor(inForce: string | null) {
    this.#inForce = inForce
    this.sysIsOurs = inForce === null
  }

  /** null, or the errno's name. */
  use(name: string): string | null {
    if (this.#inForce !== null) return null
    const code = enterNetwork(namespacePath(name))
    this.seen = code === null
    this.sysIsOurs = false
    return code
  }
}

function once<T>(read: () => T): () => T {
  let value: { readonly of: T } | null = null
  return () => {
    value ??= { of: read() }
    return value.of
  }
}

/** What the system refuses is no value; why it does is not asked here. */
function attempt<T>(act: () => T): T | null {
  try {
    return act()
  } catch {
    return null
  }
}

/** Of the system's own tables, within the same bounds; null: it cannot be read. */
function readText(path: string): string | null {
  const read = new FileReader().read(path)
  return 'text' in read ? read.text : null
}

function stat(path: string): ReturnType<World['stat']> {
  const facts = attempt(() => statSync(path))
  if (facts === null) return null
  const kind = facts.isFile() ? 'file' : facts.isDirectory() ? 'directory' : 'other'
  return { kind, mode: facts.mode & 0o7777, uid: facts.uid, gid: facts.gid }
}

/** Not blocking: a FIFO or a device may stand at that path. */
function firstLine(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    const buffer = Buffer.alloc(firstLineBytesMax)
    const length = fstatSync(fd).isFile() ? readSync(fd, buffer, 0, buffer.length, 0) : 0
    return buffer.toString('latin1', 0, length).split('\n', 1)[0] ?? ''
  } finally {
    closeSync(fd)
  }
}

type User = { readonly uid: number; readonly gid: number }
type Group = { readonly name: string; readonly gid: number; readonly members: readonly string[] }

const rows = (path: string): string[][] =>
  (readText(path) ?? '').split('\n').map((line) => line.split(':'))

/** The first entry of a name counts, as in getpwnam(3). */
function readUsers(): Map<string, User> {
  const users = new Map<string, User>()
  for (const [name = '', , uid, gid] of rows('/etc/passwd')) {
    const numbers = { uid: Number(uid), gid: Number(gid) }
    const whole = Number.isInteger(numbers.uid) && Number.isInteger(numbers.gid)
    if (name !== '' && whole && uid !== '' && !users.has(name)) users.set(name, numbers)
  }
  return users
}

function readGroups(): Group[] {
  return rows('/etc/group').flatMap(([name = '', , gid = '', members = '']) =>
    /^\d+$/.test(gid) ? [{ name, gid: Number(gid), members: members.split(',') }] : [],
  )
}

/** /proc/net shows the network namespace of the process, not of this thread; a mounted /sys may show another one's. */
function readInterfaces(): Set<string> {
  const table = readText('/proc/thread-self/net/dev') ?? ''
  const listed = Array.from(table.matchAll(/^ *([^\s:|]+):/gm), (found) => found[1] ?? '')
  return new Set([...listed, ...Object.keys(networkInterfaces())])
}

/** True when it cannot be told: the engine will find out. */
function interfaceMulticast(name: string): boolean {
  if (name.includes('/') || name === '..') return false
  const flags = readText(`/sys/class/net/${name}/flags`)
  return flags === null || (Number(flags.trim()) & multicastFlag) !== 0
}

function readOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EROFS'
  }
}

/** Of IPv6 it is a setting of its own. */
function interfaceMtu(name: string, family: 4 | 6): number | null {
  if (name.includes('/') || name === '..') return null
  const path = family === 4 ? `/sys/class/net/${name}/mtu` : `/proc/sys/net/ipv6/conf/${name}/mtu`
  const mtu = Number(readText(path)?.trim())
  return Number.isInteger(mtu) && mtu > 0 ? mtu : null
}
