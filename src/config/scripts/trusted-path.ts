/**
 * Whether root may run a file, or the daemon load it, without another user deciding what is in it: the file, every
 * directory on the way to it, and those of the symbolic links that are followed, belong to a trusted user, and no other
 * user may write them. As in keepalived, group root is tolerated, and so are sticky directories: what root has in one
 * cannot be replaced by others. What is not there yet, or is a link, could be.
 *
 * A path of which all this holds can be changed by the trusted users alone, so that it is looked at when the configuration
 * is loaded and not again at each run.
 */
import type { World } from '../world.ts'

/** As many as the kernel follows. */
const linksMax = 40

type Paths = Pick<World, 'stat' | 'readlink'>
type Facts = NonNullable<ReturnType<World['stat']>>

/** Which part is not so, and how to mend it; null when all are. `path` is absolute. `trusted`: users, by number. */
export function unsafePart(
  path: string,
  world: Paths,
  trusted: ReadonlySet<number> = new Set([0]),
): string | null {
  const walk: Walk = { at: '/', rest: partsOf(path), links: 0 }
  for (;;) {
    const facts = world.stat(walk.at)
    if (facts === null) return null
    const unsafe = unsafeFacts(walk.at, facts, trusted)
    if (unsafe !== null) return unsafe
    const part = walk.rest.shift()
    if (part === undefined) return null
    const why = advance(walk, part, isShared(facts), world)
    if (why !== null) return why
  }
}

/** The directory that has been reached, and the names that are still to be followed from there. */
type Walk = { at: string; rest: string[]; links: number }

function advance(walk: Walk, part: string, shared: boolean, world: Paths): string | null {
  const { at } = walk
  if (part === '..') {
    walk.at = at.slice(0, at.lastIndexOf('/')) || '/'
    return null
  }
  const next = at === '/' ? `/${part}` : `${at}/${part}`
  const target = world.readlink(next)
  if (target === null) {
    walk.at = next
    if (!shared || world.stat(next) !== null) return null
    return `${next} is not there, and others may make it in ${at}`
  }
  if (shared) return `${next} is a symbolic link in ${at}, where others may make one`
  if (++walk.links > linksMax) return `${next} is one of too many symbolic links`
  walk.rest.unshift(...partsOf(target))
  if (target.startsWith('/')) walk.at = '/'
  return null
}

const partsOf = (path: string): string[] =>
  path.split('/').filter((part) => part !== '' && part !== '.')

/** A directory in which others may make names, though not replace those of root: sticky, and writable. */
const isShared = ({ kind, mode, gid }: Facts): boolean =>
  kind === 'directory' && ((mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0))

function unsafeFacts(path: string, facts: Facts, trusted: ReadonlySet<number>): string | null {
  const { kind, mode, uid, gid } = facts
  const sticky = kind === 'directory' && (mode & 0o1000) !== 0
  if (!trusted.has(uid)) return `${path} belongs to uid ${uid}, not root: chown root ${path}`
  if (sticky) return null
  if ((mode & 0o020) !== 0 && gid !== 0)
    return `${path} is writable by group ${gid}: chmod g-w ${path}`
  return (mode & 0o002) !== 0 ? `${path} is writable by every user: chmod o-w ${path}` : null
}
