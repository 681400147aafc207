/** Whether a rule of `nft -j list ruleset` applies to a packet, as far as its matches are understood. */

export type Packet = {
  readonly family: 4 | 6
  /** As nft names it, and its number. */
  readonly protocol: { readonly name: string; readonly number: number }
  readonly hook: 'input' | 'output'
  readonly interface: string | null
  readonly destination: string | null
  readonly source: string | null
  /** Of UDP. */
  readonly port: number | null
}

export type Json = { readonly [key: string]: unknown }
type Applies = 'yes' | 'no' | 'unknown'

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** `limit` and the like decide by what is not known. */
const deciding = ['limit', 'quota', 'ct count', 'xt', 'fib', 'socket']

export function matches(statements: readonly Json[], packet: Packet): Applies {
  let all: Applies = 'yes'
  for (const statement of statements) {
    const match = statement['match']
    const one = isJson(match)
      ? applies(match, packet)
      : deciding.some((name) => name in statement)
        ? 'unknown'
        : 'yes'
    if (one === 'no') return 'no'
    if (one === 'unknown') all = 'unknown'
  }
  return all
}

function applies(match: Json, packet: Packet): Applies {
  const held = heldBy(match['left'], packet)
  if (held === undefined) return 'unknown'
  if (held === null) return 'no'
  const within = holds(match['right'], held)
  if (within === null) return 'unknown'
  if (match['op'] !== '==' && match['op'] !== 'in' && match['op'] !== '!=') return 'unknown'
  return within === (match['op'] !== '!=') ? 'yes' : 'no'
}

/** undefined: it is not known; null: the packet has no such field. */
function heldBy(left: unknown, packet: Packet): readonly (string | number)[] | null | undefined {
  if (!isJson(left)) return undefined
  const { meta, payload, ct } = left
  if (isJson(meta)) return metaOf(text(meta['key']), packet)
  // Adverts go one way: to connection tracking each is the first of its flow.
  if (isJson(ct)) return ct['key'] === 'state' ? ['new', 'untracked'] : undefined
  return isJson(payload)
    ? fieldOf(text(payload['protocol']), text(payload['field']), packet)
    : undefined
}

function metaOf(key: string, packet: Packet): readonly (string | number)[] | undefined {
  const { name, number } = packet.protocol
  if (key === 'l4proto') return [name, number]
  if (key === 'nfproto') return packet.family === 4 ? ['ipv4', 2] : ['ipv6', 10]
  if (key === 'protocol') return packet.family === 4 ? ['ip', 2048] : ['ip6', 34525]
  const own = packet.hook === 'input' ? ['iif', 'iifname'] : ['oif', 'oifname']
  if (own.includes(key)) return packet.interface === null ? undefined : [packet.interface]
  return undefined
}

type Values = readonly (string | number)[] | null | undefined

function fieldOf(protocol: string, field: string, packet: Packet): Values {
  if (protocol === 'ip' || protocol === 'ip6') return headerField(protocol, field, packet)
  if (protocol !== 'th' && protocol !== packet.protocol.name)
    return transports.includes(protocol) ? null : undefined
  return field === 'dport' && packet.port !== null ? [packet.port] : undefined
}

const transports = ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'dccp', 'ah', 'esp']

function headerField(protocol: string, field: string, packet: Packet): Values {
  if (protocol !== (packet.family === 4 ? 'ip' : 'ip6')) return null
  if (field === 'protocol' || field === 'nexthdr')
    return [packet.protocol.name, packet.protocol.number]
  const address = field === 'daddr' ? packet.destination : field === 'saddr' ? packet.source : null
  return address === null ? undefined : [address]
}

/** null: it cannot be told. */
function holds(right: unknown, held: readonly (string | number)[]): boolean | null {
  if (typeof right === 'string' && right.startsWith('@')) return null
  if (typeof right === 'string' || typeof right === 'number')
    return held.some((it) => String(it) === String(right) || wildcard(String(right), String(it)))
  const list = Array.isArray(right) ? right : isJson(right) ? right['set'] : null
  if (Array.isArray(list)) {
    const each = list.map((it: unknown) => holds(it, held))
    return each.includes(true) ? true : each.includes(null) ? null : false
  }
  if (!isJson(right)) return null
  return rangeHolds(right, held) ?? prefixHolds(right['prefix'], held)
}

/** `eth*` */
const wildcard = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') && name.startsWith(pattern.slice(0, -1))

function rangeHolds(right: Json, held: readonly (string | number)[]): boolean | null {
  const range = right['range']
  if (!Array.isArray(range)) return null
  const [from, to] = range.map(Number)
  const number = held.find((it) => typeof it === 'number')
  if (number === undefined || from === undefined || to === undefined || Number.isNaN(from + to))
    return null
  return Number(number) >= from && Number(number) <= to
}

function prefixHolds(prefix: unknown, held: readonly (string | number)[]): boolean | null {
  if (!isJson(prefix)) return null
  const bits = (address: string) =>
    /^\d+\.\d+\.\d+\.\d+$/.test(address)
      ? address
          .split('.')
          .map((it) => Number(it).toString(2).padStart(8, '0'))
          .join('')
      : null
  const length = Number(prefix['len'])
  const network = bits(text(prefix['addr']))
  const own = bits(String(held[0] ?? ''))
  return network === null || own === null ? null : network.slice(0, length) === own.slice(0, length)
}

/** The rule speaks of the packet's protocol, its port or its group. */
export function names(statements: readonly Json[], packet: Packet): boolean {
  return statements.some(({ match }) => {
    if (!isJson(match)) return false
    const key = JSON.stringify(match['left'])
    const telling = /"(protocol|nexthdr|l4proto|dport|daddr)"/.test(key) && !/"nfproto"/.test(key)
    return telling && applies(match, packet) === 'yes'
  })
}
