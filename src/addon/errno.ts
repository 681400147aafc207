/** The names of errnos, once for everything that comes from the addon. */
import { constants } from 'node:os'

/** Second names that the C library gives to numbers whose name in the kernel is another. */
const aliases: ReadonlySet<string> = new Set(['EWOULDBLOCK', 'ENOTSUP', 'EDEADLOCK'])

const names = new Map(
  Object.entries(constants.errno).flatMap(([name, errno]) =>
    aliases.has(name) ? [] : [[errno, name] as const],
  ),
)

/** 'ENODEV'; for a number that Node has no name for, `errno 132`. */
export const errnoName = (errno: number): string => names.get(errno) ?? `errno ${errno}`
