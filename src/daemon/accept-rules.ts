/**
 * no_accept as an nftables ruleset: packets to and from the virtual addresses are dropped unless the instance owns them
 * (RFC 9568 section 6.1, Accept_Mode). What passes and what is dropped is as with keepalived: neighbour discovery
 * passes, ARP is not looked at, what is forwarded is not looked at, and a link-local address is meant on its own interface alone.
 *
 * The rules depend on the configuration only, not on the state: an address that is not on this host attracts no
 * packets. So they stand before the first take-over, which never waits for them.
 */
import { type Ip, ipFamily, isLinkLocal } from '../base/ip.ts'
import type { GlobalOptions, Instance } from '../config/types.ts'
import type { VirtualAddress } from '../config/virtual-address.ts'

export type AcceptRules = {
  /** For nft(8): replaces the table as a whole, or removes it. */
  readonly text: string
  /** Rules in the table; 0: there is no table. */
  readonly count: number
}

export type AcceptOptions = Pick<GlobalOptions, 'nftablesPriority' | 'nftablesCounters'>

type Guarded = { readonly address: Ip; readonly interface: string | null }

const deviceOf = (it: Instance, address: VirtualAddress): string | null =>
  address.interface ?? it.interface

const guarded = (instances: readonly Instance[]): readonly Guarded[] =>
  instances
    .filter((it) => !it.accept && it.priority < 255)
    .flatMap((it) =>
      [...it.addresses, ...it.excluded].map((virtual) => ({
        address: virtual.address,
        interface: deviceOf(it, virtual),
      })),
    )

/** Removes the table whether it is there or not. */
export const noRules = (table: string): AcceptRules => ({
  text: `add table inet ${table}\ndelete table inet ${table}\n`,
  count: 0,
})

/** Deterministic in its arguments. Where no instance has no_accept the table goes. */
export function acceptRules(
  table: string,
  instances: readonly Instance[],
  options: AcceptOptions,
): AcceptRules {
  const none = noRules(table)
  const all = guarded(instances)
  if (all.length === 0) return none
  const counter = options.nftablesCounters ? 'counter ' : ''
  const input = chain('daddr', 'iifname', all, counter)
  const output = chain('saddr', 'oifname', all, counter)
  const hook = (name: string, rules: readonly string[]) =>
    `  chain ${name} {
    type filter hook ${name} priority ${options.nftablesPriority}; policy accept;
    ${rules.join('\n    ')}
  }`
  const text = `${none.text}table inet ${table} {\n${hook('input', input)}\n${hook('output', output)}\n}\n`
  return { text, count: input.length + output.length }
}

/** The rules of one direction. */
function chain(
  field: 'daddr' | 'saddr',
  device: 'iifname' | 'oifname',
  all: readonly Guarded[],
  counter: string,
): readonly string[] {
  const isBound = ({ address, interface: name }: Guarded) =>
    ipFamily(address) === 6 && isLinkLocal(address) && nameIn(name) !== null
  const bound = all.filter(isBound).map((it) => `${it.address} . ${nameIn(it.interface)}`)
  const plain = all.filter((it) => !isBound(it)).map((it) => it.address)
  const four = plain.filter((it) => ipFamily(it) === 4)
  const six = plain.filter((it) => ipFamily(it) === 6)
  const drop = (match: string, elements: readonly string[]) =>
    elements.length === 0
      ? []
      : [`${match} { ${[...new Set(elements)].join(', ')} } ${counter}drop`]
  const discovery = `icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ${counter}accept`
  return [
    ...(six.length + bound.length > 0 ? [discovery] : []),
    ...drop(`ip ${field}`, four),
    ...drop(`ip6 ${field} . ${device}`, bound),
    ...drop(`ip6 ${field}`, six),
  ]
}

/**
 * An interface's name as nft reads it: * at its end would mean any that begins so. null: not known, or a name that
 * cannot be written there; the address is meant on every interface then.
 */
const nameIn = (name: string | null): string | null =>
  name === null || /["\\*]/.test(name) ? null : `"${name}"`
