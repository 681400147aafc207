/**
 * The machine as the parser asks for it. Read with plain files and system calls, never through a resolver
 * or a command: `check` and a reload must answer at once, whatever is broken on the host.
 */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import type { World } from '../config/types.ts'

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const multicastFlag = 0x1000

/** Users, groups and interfaces are looked up once, at their first use: one world serves one reading. */
export function realWorld(): World {
  const users = once(readUsers)
  const groups = once(readGroups)
  const interfaces = once(readInterfaces)
  return {
    readFile: readText,
    glob: (pattern) => glob(pattern),
    hostname: hostname(),
    environment: process.env,
    random: Math.random,
    interfaceExists: (name) => interfaces().has(name),
    interfaceMulticast,
    user: (name) => {
      const user = users().get(name)
      if (user === undefined) return null
      const others = groups().filter((g) => g.gid !== user.gid && g.members.includes(name))
      return { ...user, groups: [user.gid, ...others.map((g) => g.gid)] }
    },
    group: (name) => groups().find((g) => g.name === name)?.gid ?? null,
    stat,
    realpath: (path) => attempt(() => realpathSync(path)),
    uid: process.getuid?.() ?? 0,
    path: (process.env['PATH'] ?? defaultPath).split(':').filter((part) => part !== ''),
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

const readText = (path: string): string | null => attempt(() => readFileSync(path, 'utf8'))

function stat(path: string): ReturnType<World['stat']> {
  const facts = attempt(() => statSync(path))
  if (facts === null) return null
  const kind = facts.isFile() ? 'file' : facts.isDirectory() ? 'directory' : 'other'
  return { kind, mode: facts.mode & 0o7777, uid: facts.uid, gid: facts.gid }
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

/** /proc/net shows the network namespace of this process; a mounted /sys may show another one's. */
function readInterfaces(): Set<string> {
  const table = readText('/proc/net/dev') ?? ''
  const listed = Array.from(table.matchAll(/^ *([^\s:|]+):/gm), (found) => found[1] ?? '')
  return new Set([...listed, ...Object.keys(networkInterfaces())])
}

/** True when it cannot be told: the engine will find out. */
function interfaceMulticast(name: string): boolean {
  if (name.includes('/') || name === '..') return false
  const flags = readText(`/sys/class/net/${name}/flags`)
  return flags === null || (Number(flags.trim()) & multicastFlag) !== 0
}

/** glob(7) without braces, one directory level at a time. Names that begin with a dot need one in the pattern. */
function glob(pattern: string): readonly string[] {
  const absolute = pattern.startsWith('/')
  const parts = pattern.split('/').filter((part) => part !== '')
  let found = [absolute ? '/' : '']
  for (const part of parts) found = found.flatMap((directory) => entries(directory, part))
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function entries(directory: string, part: string): string[] {
  const join = (name: string): string =>
    directory === '' || directory.endsWith('/') ? directory + name : `${directory}/${name}`
  if (!/[*?[\\]/.test(part)) return attempt(() => statSync(join(part))) === null ? [] : [join(part)]
  const matches = nameMatcher(part)
  const names = attempt(() => readdirSync(directory === '' ? '.' : directory)) ?? []
  return names
    .filter((name) => !name.startsWith('.') || part.startsWith('.'))
    .filter(matches)
    .map(join)
}

function nameMatcher(part: string): (name: string) => boolean {
  const source = part.replace(/\\([\s\S])|\[!?\]?[^\]]*\]|[\s\S]/g, (piece, escaped?: string) => {
    if (escaped !== undefined) return literal(escaped)
    if (piece === '*') return '[^/]*'
    if (piece === '?') return '[^/]'
    return piece.length > 1 ? characterClass(piece) : literal(piece)
  })
  const expression = attempt(() => new RegExp(`^${source}$`, 'su'))
  return (name) => expression?.test(name) ?? false
}

const literal = (char: string): string => char.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')

/** `[!a-z]` → `[^a-z]`; everything but `-` between two characters is itself. */
function characterClass(piece: string): string {
  const inner = piece.slice(1, -1)
  const negated = inner.startsWith('!') || inner.startsWith('^')
  const members = (negated ? inner.slice(1) : inner).replace(/[\\\]^[]/g, '\\$&')
  return `[${negated ? '^' : ''}${members}]`
}
