/**
 * Routes, rules and a few other lines that this version does not act on. They are checked as far as a
 * misspelt word or a missing value shows; whether the kernel would take them is not asked.
 */
import { parseIp } from '../../base/ip.ts'
import type { Lowering } from '../draft/report.ts'
import { readWord } from '../grammar/arguments.ts'
import type { Values } from '../grammar/entries.ts'
import { integer } from '../grammar/make.ts'
import type { Node, Word } from '../language/tree-types.ts'

const routeValues = new Set(
  'src to via gw or nexthop dev oif table metric priority preference scope tos dsfield protocol from mtu advmss rtt rttvar reordering cwnd ssthresh rto_min window hoplimit realms initcwnd initrwnd features quickack congctl pref ttl-propagate expires vrf as encap weight track_group'.split(
    ' ',
  ),
)
const routeFlags = new Set(
  'onlink lock ecn fastopen_no_cookie add append prepend unicast local broadcast anycast multicast throw unreachable prohibit blackhole nat no_track'.split(
    ' ',
  ),
)
/** Routes of these kinds lead nowhere and need no interface. */
const withoutDevice = new Set(['throw', 'unreachable', 'prohibit', 'blackhole'])

const ruleValues = new Set(
  'from to priority order preference tos fwmark realms suppress_prefixlength suppress_ifgroup dev iif oif tunnel-id uidrange protocol ipproto sport dport table lookup goto type track_group'.split(
    ' ',
  ),
)
const ruleFlags = new Set('not nop blackhole unreachable prohibit l3mdev no_track'.split(' '))

export function checkRoute(_draft: unknown, node: Node, lowering: Lowering): void {
  const words = [node.keyword, ...node.args]
  const said = checkWords(words, routeValues, routeFlags, isDestination, 'route', lowering)
  const leadsNowhere = words.some(({ text }) => withoutDevice.has(text))
  const tracked = !words.some(({ text }) => text === 'no_track' || text === 'nexthop')
  if (
    said &&
    tracked &&
    !leadsNowhere &&
    !words.some(({ text }) => text === 'dev' || text === 'oif')
  ) {
    lowering.error(node.place, 'route', 'a route without dev cannot be tracked (no_track says so)')
  }
}

export function checkRule(_draft: unknown, node: Node, lowering: Lowering): void {
  const words = [node.keyword, ...node.args]
  const said = checkWords(words, ruleValues, ruleFlags, () => false, 'rule', lowering)
  const preferred = words.some(({ text }) => ['priority', 'order', 'preference'].includes(text))
  if (said && !preferred) {
    lowering.error(node.place, 'rule', 'a rule without preference gets one that nobody chose')
  }
}

const isDestination = (text: string): boolean =>
  ['default', 'default6', 'any', 'all'].includes(text) ||
  parseIp(text.replace(/\/\d+$/, '')) !== null

/** False after a message. */
function checkWords(
  words: readonly Word[],
  values: ReadonlySet<string>,
  flags: ReadonlySet<string>,
  alone: (text: string) => boolean,
  what: string,
  lowering: Lowering,
): boolean {
  for (let i = 0; i < words.length; i++) {
    const word = words[i]
    if (word === undefined) break
    if (values.has(word.text)) {
      if (words[++i] !== undefined) continue
      lowering.missingOperand(word, `${word.text} of a ${what} needs a value`)
      return false
    }
    if (flags.has(word.text) || alone(word.text)) continue
    lowering.error(word, 'unknown-word', `${word.text} means nothing in a ${what}`)
    return false
  }
  return true
}

/** `[all] SECONDS` of garp_extra_if. */
export const checkExtraIf =
  (least: number) =>
  (_draft: unknown, _values: unknown, node: Node, lowering: Lowering): void => {
    const words = node.args.filter((word, i) => i > 0 || word.text !== 'all')
    const [span] = words
    if (span === undefined) {
      lowering.error(
        node.place,
        'missing-operand',
        `${node.keyword.text} needs a number of seconds`,
      )
    }
    for (const word of words) checkInteger(word, least, 86_400, node, lowering)
  }

export function checkProcessors(
  _draft: unknown,
  _values: unknown,
  node: Node,
  lowering: Lowering,
): void {
  if (node.args.length === 0) {
    lowering.error(node.place, 'missing-operand', `${node.keyword.text} needs a processor`)
  }
  for (const word of node.args) checkInteger(word, 0, 4095, node, lowering)
}

function checkInteger(word: Word, least: number, most: number, node: Node, lowering: Lowering) {
  const read = readWord(integer('NUMBER', least, most), word)
  if ('value' in read) return
  lowering.error(word, 'bad-number', `${node.keyword.text} ${word.text} ${read.why}; it is ignored`)
}

/** `vrrp_rx_bufs_policy MTU|ADVERT|BYTES`. */
export function checkBufferPolicy(
  _draft: unknown,
  values: Values,
  node: Node,
  lowering: Lowering,
): void {
  const policy = String(values[0])
  if (/^(MTU|ADVERT|NO_SEND_RX|\d+)$/.test(policy)) return
  const message = `vrrp_rx_bufs_policy takes MTU, ADVERT or a number of bytes, not ${policy}`
  lowering.error(node.place, 'bad-choice', message)
}

/** A number, or names such as `S_IWGRP|S_IWOTH`. */
export function checkUmask(
  _draft: unknown,
  _values: unknown,
  node: Node,
  lowering: Lowering,
): void {
  const written = node.args.map((word) => word.text).join('')
  const number = /^(0x[0-9a-f]+|\d+)$/i.test(written) ? Number(octal(written)) : Number.NaN
  if (
    number <= 0o777 ||
    /^S_I([RWX](USR|GRP|OTH)|RWX[UGO])(\|S_I([RWX](USR|GRP|OTH)|RWX[UGO]))*$/.test(written)
  )
    return
  lowering.error(node.place, 'bad-number', `umask ${written} is not a mask; it is ignored`)
}

const octal = (text: string): string => (/^0[0-7]+$/.test(text) ? `0o${text.slice(1)}` : text)

/** `[tcp S] [tcpfin S] [udp S]`. */
export function checkTimeouts(
  _draft: unknown,
  _values: unknown,
  node: Node,
  lowering: Lowering,
): void {
  if (/^\S+(\s+(tcp|tcpfin|udp)\s+\d+)+$/.test(node.raw.trim())) return
  lowering.error(
    node.place,
    'bad-timeouts',
    'lvs_timeouts takes tcp, tcpfin and udp, each with seconds',
  )
}
