/**
 * The kernel lease as an nftables table: a host answers for a virtual address (ARP, neighbour discovery, IP, a virtual MAC
 * address) only while its adverts leave. Each instance has three sets with one element, which are words of the kernel's:
 *
 * - `lead`: it leads, its adverts may renew. A note (wire/lease-note.ts) opens it before the first advert; an advert that
 *   finds it renews it. So the adverts of a process that stood still do not renew, and do not leave.
 * - `live`: its adverts leave. Each that does, behind all other filters, renews it; one with priority 0 ends it.
 * - `gate`: what is not `live` is muted, and an advert without `lead` dropped. It outlasts the addresses of a host whose
 *   processes have all been killed, and then nothing is muted any more. A note ends it when the addresses are away.
 *
 * ```
 *   out:  note ─► open, mute, end     advert ─► lead? ─► renew all three, and out
 *   in:   packet for an address ─► live? pass : gate? drop : pass
 * ```
 *
 * No process renews anything, and a take-over costs one frame. What stands in the sets survives new rules.
 */
import { createHash } from 'node:crypto'
import { type Family, type Ip, ipBytes, ipFamily } from '../base/ip.ts'
import type { MacText } from '../base/mac.ts'
import type { Us } from '../base/time.ts'
import { leaseIdBytes, leaseNotes, noteMagic, noteType } from '../wire/lease-note.ts'

export type LeasedAddress = {
  readonly address: Ip
  /** An IPv6 link-local address is meant on this interface alone. */
  readonly on: string | null
  /** Another interface of this host has it too (a real server's loopback): packets for it are delivered all the same. */
  readonly served: boolean
}

export type LeasedInstance = {
  readonly name: string
  /** The interface that its adverts leave by. */
  readonly device: string
  readonly ifindex: number
  readonly family: Family
  readonly vrid: number
  readonly ah: boolean
  readonly source: Ip
  readonly destinations: readonly Ip[]
  readonly addresses: readonly LeasedAddress[]
  readonly macs: readonly MacText[]
  /** Interfaces by which packets for the addresses arrive, by name, with the index that they have. */
  readonly devices: ReadonlyMap<string, number>
  /** A whole number of the kernel's ticks: it answers so long after an advert, or up to a tick less. */
  readonly leaseUs: Us
  readonly tickUs: Us
  /** After so long without an advert nothing is muted any more. */
  readonly guardSeconds: number
}

/** Chains and sets in the kernel, by name. */
export type Standing = { readonly chains: readonly string[]; readonly sets: readonly string[] }

/** Before others look at a packet that arrives, and after they have looked at one that leaves. */
const priority = { ingress: -300, egress: 1_000 } as const
/** An element that has run out stays for a moment beside its successor. */
const elementsMax = 64
/** Sets can be asked for what a packet has, not for a constant: this is one of each packet. */
const one = 'meta mark & 0'

const digest = (text: string, octets: number): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(text).digest().subarray(0, octets))
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

/** An instance keeps it over a reload, a restart and another version. */
export const leaseId = (name: string): Uint8Array => digest(`lease ${name}`, leaseIdBytes)

type Chain = { readonly name: string; readonly hook?: string; readonly rules: readonly string[] }

export type LeaseRules = {
  readonly chains: readonly Chain[]
  readonly sets: readonly string[]
  readonly count: number
}

const setNames = (id: string) => ({ lead: `lead_${id}`, live: `live_${id}`, gate: `gate_${id}` })
const update = (set: string, timeout: string) => `update @${set} { ${one} timeout ${timeout} }`
const remove = (set: string) => `delete @${set} { ${one} }`

/** What is the same whichever interface a packet comes by. */
function instanceChains(it: LeasedInstance, id: string): readonly Chain[] {
  const { lead, live, gate } = setNames(id)
  const lease = `${Math.floor(it.leaseUs / 1_000)}ms`
  const guard = `${it.guardSeconds}s`
  // Behind the authentication header, where there is one.
  const priorityAt = it.ah ? 208 : 16
  return [
    { name: `check_${id}`, rules: [`${one} @${live} accept`, `${one} @${gate} drop`] },
    { name: `resign_${id}`, rules: [remove(lead), remove(live), 'accept'] },
    {
      name: `renew_${id}`,
      rules: [update(lead, lease), update(live, lease), update(gate, guard), 'accept'],
    },
    {
      name: `advert_${id}`,
      rules: [
        `@th,${priorityAt},8 0 goto resign_${id}`,
        `${one} @${lead} goto renew_${id}`,
        `${one} @${gate} drop`,
      ],
    },
    { name: `open_${id}`, rules: [update(lead, lease), update(gate, guard), 'drop'] },
    { name: `mute_${id}`, rules: [remove(lead), remove(live), 'drop'] },
    { name: `end_${id}`, rules: [remove(lead), remove(live), remove(gate), 'drop'] },
  ]
}

const vmap = (match: string, verdicts: ReadonlyMap<string, string>): readonly string[] =>
  verdicts.size === 0
    ? []
    : [
        `${match} vmap { ${[...verdicts].map(([key, verdict]) => `${key} : ${verdict}`).join(', ')} }`,
      ]

type Named = { readonly it: LeasedInstance; readonly id: string }

function notesChain(all: readonly Named[]): Chain {
  const words = Object.entries(leaseNotes)
  const verdicts = all.flatMap(({ id }) =>
    words.map(([word, op]) => [`0x${hex(Uint8Array.of(op))}${id}`, `goto ${word}_${id}`] as const),
  )
  const known = vmap(`@ll,144,${8 + leaseIdBytes * 8}`, new Map(verdicts))
  const magic = `@ll,112,32 != 0x${noteMagic.toString(16)} accept`
  return { name: 'notes', rules: [magic, ...known, 'drop'] }
}

/** Adverts of one kind with one VRID that leave by one interface: of several virtual routers, by where they go. */
function routerChains(device: string, index: string, all: readonly Named[]): readonly Chain[] {
  const byName = new Map<string, string[]>()
  for (const { it, id } of all) {
    if (it.device !== device) continue
    const field = it.family === 4 ? 'ip' : 'ip6'
    const to = `{ ${it.destinations.join(', ')} }`
    const rule = `${field} saddr ${it.source} ${field} daddr ${to} goto advert_${id}`
    const name = `vrid_${index}_${kindOf(it)}_${it.vrid}`
    byName.set(name, [...(byName.get(name) ?? []), rule])
  }
  return [...byName].map(([name, rules]) => ({ name, rules }))
}

const kindOf = ({ family, ah }: LeasedInstance): string => (ah ? 'ah' : `v${family}`)

/** Where the VRID is. */
const vridAt: Readonly<Record<string, string>> = {
  v4: 'ip protocol 112 @th,8,8',
  v6: 'ip6 nexthdr 112 @th,8,8',
  ah: 'ip protocol 51 @th,200,8',
}

function advertRules(index: string, routers: readonly Chain[]): readonly string[] {
  return Object.entries(vridAt).flatMap(([kind, match]) => {
    const prefix = `vrid_${index}_${kind}_`
    const mine = routers.filter(({ name }) => name.startsWith(prefix))
    return vmap(match, new Map(mine.map(({ name }) => [name.slice(prefix.length), `jump ${name}`])))
  })
}

/** To look up one in a map takes the kernel as long as two comparisons. */
const comparedMax = 2

/** What is in hooks, and so looked at for each packet: the first that matches decides, and no rule behind it is read. */
const checked = (match: string, verdicts: ReadonlyMap<string, string>): readonly string[] =>
  verdicts.size > comparedMax
    ? vmap(match, verdicts)
    : [...verdicts].map(([key, verdict]) => `${match} ${key} ${verdict}`)

type Checks = Readonly<Record<'four' | 'six' | 'arp' | 'targets' | 'macs', Map<string, string>>>

type Key = keyof Checks

/** What of one address is looked at: packets to and from it, and who asks for it at the link layer. */
function keysOf({ address, served }: LeasedAddress): readonly (readonly [Key, string])[] {
  const six = ipFamily(address) === 6
  const asked = six
    ? (['targets', `0x${hex(ipBytes(address))}`] as const)
    : (['arp', address] as const)
  return served ? [asked] : [[six ? 'six' : 'four', address], asked]
}

/** Which addresses are looked at on an interface, and which instance's lease counts. The first that names one has it. */
function checksOn(device: string, all: readonly Named[]): Checks {
  const none = () => new Map<string, string>()
  const checks = { four: none(), six: none(), arp: none(), targets: none(), macs: none() }
  for (const { it, id } of all) {
    const here = it.addresses.filter(({ on }) => on === null || on === device)
    const macs = it.devices.has(device) ? it.macs.map((mac) => ['macs', mac] as const) : []
    for (const [kind, key] of [...here.flatMap(keysOf), ...macs])
      if (!checks[kind].has(key)) checks[kind].set(key, `goto check_${id}`)
  }
  return checks
}

function deviceChains(device: string, all: readonly Named[]): readonly Chain[] {
  const index = hex(digest(device, 4))
  const { four, six, arp, targets, macs } = checksOn(device, all)
  const routers = routerChains(device, index, all)
  const hook = (word: 'ingress' | 'egress') =>
    `type filter hook ${word} device "${device}" priority ${priority[word]}; policy accept;`
  return [
    ...routers,
    {
      name: `in_${index}`,
      hook: hook('ingress'),
      rules: [
        ...checked('ip daddr', four),
        ...checked('arp daddr ip', arp),
        ...checked('ip6 daddr', six),
        // nft has a name for the target of a solicitation only since 1.0.8.
        ...checked('icmpv6 type nd-neighbor-solicit @nh,384,128', targets),
        ...checked('ether daddr', macs),
      ],
    },
    {
      name: `out_${index}`,
      hook: hook('egress'),
      rules: [
        `meta protocol 0x${noteType.toString(16)} goto notes`,
        ...advertRules(index, routers),
        ...checked('ip saddr', four),
        ...checked('arp saddr ip', arp),
        ...checked('ip6 saddr', six),
        ...checked('ether saddr', macs),
      ],
    },
  ]
}

/** Deterministic in its arguments. */
export function leaseRules(instances: readonly LeasedInstance[]): LeaseRules {
  const all = instances.map((it) => ({ it, id: hex(leaseId(it.name)) }))
  const devices = new Set(instances.flatMap((it) => [...it.devices.keys()]))
  const chains = [
    ...all.flatMap(({ it, id }) => instanceChains(it, id)),
    notesChain(all),
    ...[...devices].flatMap((device) => deviceChains(device, all)),
  ]
  return {
    chains,
    sets: all.flatMap(({ id }) => Object.values(setNames(id))),
    count: chains.reduce((sum, { rules }) => sum + rules.length, 0),
  }
}

/**
 * For nft(8), one transaction: the table has these rules and no others. Sets that stand keep their elements; chains and
 * sets that are not wanted go.
 */
export function leaseScript(table: string, rules: LeaseRules, standing: Standing): string {
  const t = `netdev ${table}`
  const wanted = new Set([...rules.chains.map(({ name }) => name), ...rules.sets])
  const chains = standing.chains.filter((name) => !wanted.has(name))
  const sets = standing.sets.filter((name) => !wanted.has(name))
  const declared = rules.chains.map(({ name, hook }) => `  chain ${name} {\n    ${hook ?? ''}\n  }`)
  const filled = rules.chains.flatMap(({ name, rules: lines }) =>
    lines.map((line) => `add rule ${t} ${name} ${line}`),
  )
  const set = (name: string) =>
    `  set ${name} { type mark; size ${elementsMax}; flags dynamic,timeout; }`
  return [
    `add table ${t}`,
    `flush table ${t}`,
    ...chains.map((name) => `delete chain ${t} ${name}`),
    ...sets.map((name) => `delete set ${t} ${name}`),
    `table ${t} {`,
    ...rules.sets.map(set),
    ...declared,
    '}',
    ...filled,
    '',
  ].join('\n')
}

/** Removes the table whether it is there or not. */
export const noLeases = (table: string): string =>
  `add table netdev ${table}\ndelete table netdev ${table}\n`

/** The sets of an instance. */
export const leaseSets = (name: string) => setNames(hex(leaseId(name)))
