/** Holds every import of `src/` against the table of rooms. Prints what breaks it and exits with 1. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { projectRoot } from '../../src/lab/program.ts'
import { type Room, rooms } from './rooms.ts'

/** Every way in which a file names another: `from`, `import()`, a side-effect import, a thread's URL. */
const named = /(?:from |import\(|import |new URL\()'([^']+)'/g

/** What is wrong with the imports of one file, a line each. `file` and `folders` are below `src/`. */
export function faultsOf(file: string, text: string, table: readonly Room[]): string[] {
  const own = table.find((room) => room.path === dirname(file))
  if (own === undefined) return [`${file}: its folder is not in test/lint/rooms.ts`]
  return [...text.matchAll(named)].flatMap(([, name = '']) => {
    if (!name.startsWith('.'))
      return own.pure === true ? [`${file}: ${own.path}/ is pure and may not import '${name}'`] : []
    const other = dirname(normalize(join(dirname(file), name)))
    return allowed(own, other) ? [] : [`${file}: ${own.path}/ may not import ${other}/ ('${name}')`]
  })
}

const allowed = (own: Room, other: string): boolean =>
  other === own.path ||
  own.may.some(
    (may) => may === other || (may.endsWith('/*') && dirname(other) === may.slice(0, -2)),
  )

/** What is wrong with the table itself: a room may name only rooms that stand before it. */
export function faultsOfTable(table: readonly Room[]): string[] {
  return table.flatMap((room, place) =>
    room.may.flatMap((may) => {
      const before = table.slice(0, place)
      const known = may.endsWith('/*')
        ? before.some(({ path }) => dirname(path) === may.slice(0, -2))
        : before.some(({ path }) => path === may)
      return known ? [] : [`${room.path}: ${may} does not stand before it`]
    }),
  )
}

function main(): void {
  const files = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
  const faults = [
    ...faultsOfTable(rooms),
    ...files.flatMap((file) =>
      faultsOf(file, readFileSync(join(projectRoot, 'src', file), 'utf8'), rooms),
    ),
  ]
  for (const fault of faults) console.error(fault)
  if (files.length === 0) throw new Error('no file below src/')
  process.exitCode = faults.length === 0 ? 0 : 1
}

if (process.argv[1] === import.meta.filename) main()
