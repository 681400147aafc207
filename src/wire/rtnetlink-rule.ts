/** rtnetlink's routing rules: requests that set, delete and dump them, and what of one tells it from the others. */
import { concatBytes, viewOf } from '../base/bytes.ts'
import { type Family, ipBytes, ipFromBytes } from '../base/ip.ts'
import type { Prefix, Range, RuleFields } from '../base/routing.ts'
import { accept, type Decoded, reject } from './decoded.ts'
import {
  cString,
  encodeAttribute,
  encodeMessage,
  hostIsLittleEndian,
  readAttributes,
  readCString,
  readU32,
  u8,
  u32,
} from './netlink.ts'
import { big64 } from './rtnetlink-encap.ts'
import { addressFamily, nlm, type } from './rtnetlink-numbers.ts'

/** FRA_* attributes. */
const fra = {
  destination: 1,
  source: 2,
  incoming: 3,
  goto: 4,
  priority: 6,
  mark: 10,
  realms: 11,
  tunnel: 12,
  suppressGroup: 13,
  suppressPrefix: 14,
  table: 15,
  mask: 16,
  outgoing: 17,
  l3mdev: 19,
  users: 20,
  protocol: 21,
  ipProtocol: 22,
  sourcePorts: 23,
  destinationPorts: 24,
}
const headerBytes = 12
const invertFlag = 2

/** One rule as it shall be. */
export type RuleSpec = RuleFields & { readonly protocol: number }

/** RTM_NEWRULE, acknowledged. EEXIST where it is there already: without NLM_F_EXCL there would be two. */
export const encodeRuleAdd = (spec: RuleSpec): Uint8Array =>
  encodeMessage(
    type.newRule,
    nlm.request | nlm.ack | nlm.create | nlm.exclusive,
    concatBytes(ruleBody(spec)),
  )

/** RTM_DELRULE, acknowledged, with all that the kernel compares. */
export const encodeRuleDelete = (spec: RuleSpec): Uint8Array =>
  encodeMessage(type.delRule, nlm.request | nlm.ack, concatBytes(ruleBody(spec)))

/** RTM_GETRULE for every rule of the family. */
export function encodeRuleDump(family: Family): Uint8Array {
  const header = new Uint8Array(headerBytes)
  header[0] = addressFamily[family]
  return encodeMessage(type.getRule, nlm.request | nlm.dump, header)
}

/** RTM_DELRULE for the very rule that a dump showed. */
export const encodeRuleForget = (told: Uint8Array): Uint8Array =>
  encodeMessage(type.delRule, nlm.request | nlm.ack, told)

/** struct fib_rule_hdr and its attributes, in keepalived's order. */
function ruleBody(spec: RuleSpec): readonly Uint8Array[] {
  const { from, to, mark } = spec
  const table = spec.table ?? 0
  const small = table < 256
  const optional = (attribute: number, value: number | null) =>
    value === null ? [] : [encodeAttribute(attribute, u32(value))]
  const ports = (attribute: number, range: Range | null) =>
    range === null ? [] : [encodeAttribute(attribute, u16(range.from, range.to))]
  return [
    Uint8Array.of(
      addressFamily[spec.family],
      to?.length ?? 0,
      from?.length ?? 0,
      spec.tos,
      small ? table : 0,
      0,
      0,
      spec.action,
      ...u32(spec.invert ? invertFlag : 0),
    ),
    ...(small ? [] : [encodeAttribute(fra.table, u32(table))]),
    ...prefix(fra.destination, to),
    ...prefix(fra.source, from),
    encodeAttribute(fra.priority, u32(spec.preference)),
    ...optional(fra.mark, mark?.value ?? null),
    ...optional(fra.mask, mark?.mask ?? null),
    ...optional(fra.realms, spec.realms),
    ...optional(fra.suppressPrefix, spec.suppressPrefixLength),
    ...optional(fra.suppressGroup, spec.suppressInterfaceGroup),
    ...name(fra.incoming, spec.incoming),
    ...name(fra.outgoing, spec.outgoing),
    ...optional(fra.goto, spec.goto),
    ...(spec.tunnel === null ? [] : [encodeAttribute(fra.tunnel, big64(spec.tunnel))]),
    ...(spec.users === null
      ? []
      : [encodeAttribute(fra.users, u32(spec.users.from, spec.users.to))]),
    ...(spec.l3mdev ? [encodeAttribute(fra.l3mdev, u8(1))] : []),
    encodeAttribute(fra.protocol, u8(spec.protocol)),
    ...(spec.ipProtocol === null ? [] : [encodeAttribute(fra.ipProtocol, u8(spec.ipProtocol))]),
    ...ports(fra.sourcePorts, spec.sourcePorts),
    ...ports(fra.destinationPorts, spec.destinationPorts),
  ]
}

/** A whole network (length 0) is said by its length alone. */
const prefix = (attribute: number, it: Prefix | null) =>
  it === null || it.length === 0 ? [] : [encodeAttribute(attribute, ipBytes(it.address))]

const name = (attribute: number, it: string | null) =>
  it === null ? [] : [encodeAttribute(attribute, cString(it))]

function u16(...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 * numbers.length)
  for (const [i, n] of numbers.entries()) viewOf(bytes).setUint16(2 * i, n, hostIsLittleEndian)
  return bytes
}

/** The kernel holds several of one preference: what else of a rule is told from others is its selector and its action. */
export const ruleIdentity = (spec: RuleSpec): string =>
  identityOf(spec.family, concatBytes(ruleBody(spec)))

/**
 * The kernel tells what it was given and a few attributes more (FRA_SUPPRESS_PREFIXLEN −1, FRA_UID_RANGE of all), in its
 * own order.
 */
function identityOf(family: Family, body: Uint8Array): string {
  const attributes = readAttributes(body.subarray(headerBytes)) ?? new Map<number, Uint8Array>()
  const [, to = 0, from = 0, tos = 0, small = 0, , , action = 0] = body
  const word = (attribute: number) => readU32(attributes.get(attribute))
  const text = (attribute: number) => {
    const value = attributes.get(attribute)
    return value === undefined ? '' : readCString(value)
  }
  const network = (attribute: number, length: number) => {
    const value = attributes.get(attribute)
    return value?.length === (family === 4 ? 4 : 16) ? `${ipFromBytes(value)}/${length}` : 'all'
  }
  const flags = body.length < headerBytes ? 0 : viewOf(body).getUint32(8, hostIsLittleEndian)
  const ports = [fra.sourcePorts, fra.destinationPorts].map((it) => word(it) ?? '')
  return [
    `rule ${family} ${word(fra.priority) ?? 0}:`,
    (flags & invertFlag) === 0 ? '' : 'not',
    `from ${network(fra.source, from)} to ${network(fra.destination, to)} tos ${tos}`,
    `mark ${word(fra.mark) ?? 0} iif ${text(fra.incoming)} oif ${text(fra.outgoing)}`,
    `ipproto ${attributes.get(fra.ipProtocol)?.[0] ?? ''} ports ${ports.join(' ')}`,
    `action ${action} table ${word(fra.table) ?? small} goto ${word(fra.goto) ?? ''}`,
  ].join(' ')
}

export type RuleMessage = {
  readonly kind: 'newrule' | 'delrule'
  readonly identity: string
  /** Who put it there; null: not said. */
  readonly protocol: number | null
  /** '100: table 300', for people. */
  readonly text: string
  /** As it came, for `encodeRuleForget`; a view into the buffer. */
  readonly body: Uint8Array
}

export function decodeRule(
  body: Uint8Array,
  kind: RuleMessage['kind'],
): Decoded<RuleMessage, 'too-short' | 'bad-attributes' | 'other-family'> {
  if (body.length < headerBytes) return reject('too-short')
  const attributes = readAttributes(body.subarray(headerBytes))
  if (attributes === null) return reject('bad-attributes')
  const family = body[0] === addressFamily[4] ? 4 : body[0] === addressFamily[6] ? 6 : null
  if (family === null) return reject('other-family')
  const protocol = attributes.get(fra.protocol)?.[0] ?? null
  const table = readU32(attributes.get(fra.table)) ?? body[4] ?? 0
  const text = `${readU32(attributes.get(fra.priority)) ?? 0}: table ${table}`
  return accept({ kind, identity: identityOf(family, body), protocol, text, body })
}
