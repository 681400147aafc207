/** A routing rule in the words of ip-rule(8) as keepalived reads them. */
import { type Family, ipFamily } from '../../base/ip.ts'
import type { Prefix } from '../../base/routing.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node, Word } from '../language/tree-types.ts'
import type { Rule } from '../routing.ts'
import { EntryDropped, RoutingWords, readNumber } from './routing-words.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type RuleDraft = Mutable<Omit<Rule, 'family' | 'preference' | 'action' | 'numbered'>> & {
  family: Family | null
  preference: number | null
  action: number | null
}

/** FR_ACT_*. */
const action = { table: 1, goto: 2 }
const actions: Readonly<Record<string, number>> = {
  nop: 3,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
}
const ipProtocols: Readonly<Record<string, number>> = {
  icmp: 1, igmp: 2, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, esp: 50, ah: 51, 'ipv6-icmp': 58, icmpv6: 58, ospf: 89,
  pim: 103, vrrp: 112, l2tp: 115, sctp: 132, udplite: 136,
} // biome-ignore format: a table
/** As keepalived numbers rules without a preference, of each family by itself, downwards. */
const firstPreference = 16_384
const ownProtocol = 18

type Take = (rule: RuleDraft, word: Word, words: RoutingWords) => void

const take: Readonly<Record<string, Take>> = {
  from: (rule, word, words) => {
    rule.from = readPrefix(rule, word, words)
  },
  to: (rule, word, words) => {
    rule.to = readPrefix(rule, word, words)
  },
  inet: (rule) => {
    rule.family = 4
  },
  inet6: (rule) => {
    rule.family = 6
  },
  not: (rule) => {
    rule.invert = true
  },
  table: readTable,
  lookup: readTable,
  preference: readPreference,
  order: readPreference,
  priority: readPreference,
  tos: readTos,
  dsfield: readTos,
  fwmark: (rule, word, words) => {
    const value = words.value(word)
    const [mark = '', mask] = value.text.split('/')
    const read = (text: string) => words.numberFrom({ ...value, text }, 'fwmark', 0, 0xffff_ffff)
    rule.mark = { value: read(mark), mask: mask === undefined ? null : read(mask) }
  },
  realms: (rule, word, words) => {
    rule.realms = words.realms(word)
  },
  suppress_prefixlength: readSuppress,
  sup_pl: readSuppress,
  suppress_ifgroup: readSuppressGroup,
  sup_group: readSuppressGroup,
  dev: readIncoming,
  iif: readIncoming,
  oif: (rule, word, words) => {
    rule.outgoing = words.interface(word)
  },
  'tunnel-id': (rule, word, words) => {
    rule.tunnel = words.u64(word)
  },
  uidrange: (rule, word, words) => {
    rule.users = words.range(word, 0xffff_ffff, false)
  },
  l3mdev: (rule) => {
    rule.l3mdev = true
    rule.action = action.table
  },
  protocol: (rule, word, words) => {
    rule.protocol = words.named(word, 'rt_protos', 255)
  },
  ipproto: readIpProtocol,
  ip_proto: readIpProtocol,
  sport: (rule, word, words) => {
    rule.sourcePorts = words.range(word, 65_535, true)
  },
  dport: (rule, word, words) => {
    rule.destinationPorts = words.range(word, 65_535, true)
  },
  type: (_rule, word, words) => {
    if (words.peek() === null) words.value(word)
  },
  goto: (rule, word, words) => {
    rule.goto = words.number(word)
    rule.action = action.goto
  },
  no_track: (rule) => {
    rule.track = false
  },
}

/** null: it is left out, which has been said. `group`: track_group is a word of it. */
export function readRule(
  node: Node,
  lowering: Lowering,
  { group }: { readonly group: boolean },
): Rule | null {
  const words = new RoutingWords(node, 'rule', lowering)
  const draft = emptyRule(words.text, node)
  try {
    for (let word = words.next(); word !== null; word = words.next())
      readWord(draft, word, words, group)
    return finishRule(draft, node, words)
  } catch (error) {
    if (error instanceof EntryDropped) return null
    throw error
  }
}

const emptyRule = (text: string, node: Node): RuleDraft => ({
  family: null,
  action: null,
  preference: null,
  from: null,
  to: null,
  invert: false,
  table: null,
  goto: null,
  tos: 0,
  mark: null,
  realms: null,
  suppressPrefixLength: null,
  suppressInterfaceGroup: null,
  incoming: null,
  outgoing: null,
  tunnel: null,
  users: null,
  l3mdev: false,
  protocol: null,
  ipProtocol: null,
  sourcePorts: null,
  destinationPorts: null,
  track: true,
  trackGroup: null,
  text,
  place: node.place,
})

function readWord(rule: RuleDraft, word: Word, words: RoutingWords, group: boolean): void {
  const { text } = word
  const known = Object.hasOwn(take, text) ? take[text] : undefined
  if (known !== undefined) return known(rule, word, words)
  if (group && text === 'track_group') {
    rule.trackGroup = words.value(word).text
    return
  }
  const plain = Object.hasOwn(actions, text) ? actions[text] : undefined
  if (plain === undefined) words.drop(word, 'unknown-word', `${text} means nothing in a rule`)
  rule.action = plain
}

function readPrefix(rule: RuleDraft, word: Word, words: RoutingWords): Prefix | null {
  const text = words.peek() ?? ''
  const prefix = words.prefix(word, rule.family ?? 4)
  if (['default', 'any', 'all'].includes(text)) return null
  const family = ipFamily(prefix.address)
  rule.family ??= family
  if (rule.family !== family) words.drop(word, 'mixed-families', 'IPv4 and IPv6 are mixed')
  return prefix
}

function readTable(rule: RuleDraft, word: Word, words: RoutingWords): void {
  rule.table = words.named(word, 'rt_tables', 0xffff_ffff)
  if (rule.table === 0) words.drop(word, 'bad-number', 'there is no table 0')
  rule.action = action.table
}

function readPreference(rule: RuleDraft, word: Word, words: RoutingWords): void {
  rule.preference = words.number(word)
}

function readTos(rule: RuleDraft, word: Word, words: RoutingWords): void {
  rule.tos = words.named(word, 'rt_dsfield', 255)
}

function readSuppress(rule: RuleDraft, word: Word, words: RoutingWords): void {
  rule.suppressPrefixLength = words.number(word)
}

function readSuppressGroup(rule: RuleDraft, word: Word, words: RoutingWords): void {
  rule.suppressInterfaceGroup = words.number(word)
}

function readIncoming(rule: RuleDraft, word: Word, words: RoutingWords): void {
  rule.incoming = words.interface(word)
}

function readIpProtocol(rule: RuleDraft, word: Word, words: RoutingWords): void {
  const value = words.value(word)
  const named = Object.hasOwn(ipProtocols, value.text) ? ipProtocols[value.text] : undefined
  const number = named ?? readNumber(value.text)
  if (number === null || number > 255)
    words.drop(value, 'bad-name', `${value.text} is no IP protocol`)
  rule.ipProtocol = number
}

function finishRule(draft: RuleDraft, node: Node, words: RoutingWords): Rule {
  const at = node.keyword
  const { action: does } = draft
  if (does === null) return words.drop(at, 'rule', 'a rule needs an action, such as table')
  const family = draft.family ?? 4
  requireLookUp(draft, family, at, words)
  const preference = draft.preference ?? nextPreference(at, family, words)
  if (draft.goto !== null && draft.goto <= preference)
    words.drop(at, 'rule', `goto ${draft.goto} leads back: the rule has preference ${preference}`)
  const table = does === action.table && !draft.l3mdev ? draft.table : null
  return {
    ...draft,
    action: does,
    family,
    preference,
    numbered: draft.preference === null,
    table,
    protocol: protocolOf(draft, at, words),
  }
}

function requireLookUp(rule: RuleDraft, family: Family, at: Word, words: RoutingWords): void {
  const { realms, suppressPrefixLength, suppressInterfaceGroup } = rule
  const ofTables = [realms, suppressPrefixLength, suppressInterfaceGroup].some((it) => it !== null)
  if (ofTables && rule.action !== action.table)
    words.drop(at, 'rule', 'realms and suppress_… belong to a rule with a table')
  if (realms !== null && family === 6) words.drop(at, 'rule', 'realms are of IPv4 alone')
}

/** keepalived's own number stands for that of the daemon. */
function protocolOf({ protocol, track }: RuleDraft, at: Word, words: RoutingWords): number | null {
  if (protocol === null || protocol === ownProtocol) return null
  if (!track) return protocol
  const message = `a rule that is tracked has the protocol of the daemon (no_track allows for another); ${protocol} is ignored`
  words.lowering.error(at, 'rule', message)
  return null
}

const numbered = new WeakMap<Lowering, { 4: number; 6: number }>()

function nextPreference(at: Word, family: Family, { lowering }: RoutingWords): number {
  const next = numbered.get(lowering) ?? { 4: firstPreference, 6: firstPreference }
  numbered.set(lowering, next)
  const preference = next[family]
  next[family] -= 1
  const message = `a rule without preference gets ${preference}, as keepalived numbers them: write it, since another rule above moves it at the next start (a reload keeps it)`
  lowering.error(at, 'rule', message)
  return preference
}
