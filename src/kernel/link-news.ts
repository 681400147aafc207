/** What the kernel reported of an interface, in the words of the log. Pure; which interfaces matter is the caller's. */
import type { KernelLink, LinkChange } from './link-table.ts'
import type { KernelChange } from './mirror.ts'

export type LinkNews = { readonly name: string; readonly text: string }

/** The changes of one batch: one line for each interface by name, in order. */
export function linkNews(changes: readonly KernelChange[]): readonly LinkNews[] {
  const all = changes.filter((change): change is LinkChange => change.kind === 'link')
  return [...new Set(all.map(({ name }) => name))].map((name) => {
    const own = all.filter((change) => change.name === name)
    const before = own[0]?.before ?? null
    const after = own.at(-1)?.after ?? null
    const gone = own.some((change) => change.after === null)
    return { name, text: `Netlink reports ${name} ${describe(before, after, gone, all, own)}` }
  })
}

/** `gone`: it was absent in between. */
function describe(
  before: KernelLink | null,
  after: KernelLink | null,
  gone: boolean,
  all: readonly LinkChange[],
  own: readonly LinkChange[],
): string {
  if (after === null) {
    const renamed = all.find(
      (change) =>
        change.name !== before?.name &&
        change.after !== null &&
        change.after.ifindex === before?.ifindex,
    )
    return renamed === undefined ? 'deleted' : `renamed to ${renamed.name}`
  }
  const state = after.up ? 'up' : 'down'
  if (before === null) return `created, ${state}`
  if (gone || before.ifindex !== after.ifindex) return `deleted and created again, ${state}`
  const differences = differencesOf(before, after)
  if (differences.length > 0) return differences.join(', ')
  // It changed and changed back within the batch, or in what no instance asks for.
  return own.length > 1 ? `${state} again` : 'altered'
}

const differencesOf = (before: KernelLink, after: KernelLink): readonly string[] => [
  ...(before.up === after.up ? [] : [after.up ? 'up' : 'down']),
  ...(before.up !== after.up || before.on === after.on ? [] : [after.on ? 'on' : 'off']),
  ...(`${before.mac}` === `${after.mac}` ? [] : [`with MAC address ${macText(after.mac)}`]),
  ...(before.noarp === after.noarp ? [] : [after.noarp ? 'without ARP' : 'with ARP']),
  ...(before.mtu === after.mtu ? [] : [`with MTU ${after.mtu}`]),
]

const macText = (mac: Uint8Array | null): string =>
  mac === null ? 'none' : [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
