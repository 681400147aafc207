/** iproute2's names for numbers: what its files say, then what every iproute2 knows. */
import type { World } from '../world.ts'

export type NameTable =
  | 'rt_tables'
  | 'rt_protos'
  | 'rt_scopes'
  | 'rt_dsfield'
  | 'rt_realms'
  | 'group'

/** The operator's directory first: what it says counts. */
const directories = ['/etc/iproute2', '/usr/share/iproute2', '/usr/lib/iproute2']

const known: Readonly<Record<NameTable, Readonly<Record<string, number>>>> = {
  rt_tables: { local: 255, main: 254, default: 253 },
  rt_protos: {
    redirect: 1, kernel: 2, boot: 3, static: 4, gated: 8, ra: 9, mrt: 10, zebra: 11, bird: 12, dnrouted: 13, xorp: 14,
    ntk: 15, dhcp: 16, keepalived: 18, babel: 42, vipd: 112, bgp: 186, isis: 187, ospf: 188, rip: 189, eigrp: 192,
  }, // biome-ignore format: a table
  rt_scopes: { global: 0, universe: 0, site: 200, link: 253, host: 254, nowhere: 255 },
  rt_dsfield: {},
  rt_realms: { cosmos: 0 },
  group: { default: 0 },
}

const read = new WeakMap<World, Map<NameTable, ReadonlyMap<string, number>>>()

/** null: no file knows the name. */
export function numberOfName(table: NameTable, name: string, world: World): number | null {
  const tables = read.get(world) ?? new Map<NameTable, ReadonlyMap<string, number>>()
  read.set(world, tables)
  const names = tables.get(table) ?? readNames(table, world)
  tables.set(table, names)
  return names.get(name) ?? known[table][name] ?? null
}

function readNames(table: NameTable, world: World): ReadonlyMap<string, number> {
  const paths = directories.flatMap((directory) => [
    `${directory}/${table}`,
    ...(world.glob(`${directory}/${table}.d/*.conf`) ?? []),
  ])
  const names = new Map<string, number>()
  for (const line of paths.flatMap((path) => linesOf(path, world))) {
    const [, number = '', name = ''] = /^\s*(0[xX][\da-fA-F]+|\d+)\s+([^\s#]+)/.exec(line) ?? []
    if (name !== '' && !names.has(name)) names.set(name, Number(number))
  }
  return names
}

function linesOf(path: string, world: World): readonly string[] {
  const file = world.readFile(path)
  return 'text' in file ? file.text.split('\n') : []
}
