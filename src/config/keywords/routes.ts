/**
 * Routes and rules, which this version does not act on. They are checked as far as a misspelt word or a missing value
 * shows; whether the kernel would take them is not asked.
 */
import { parseIp } from '../../base/ip.ts'
import type { Lowering } from '../draft/report.ts'
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
    lowering.error(node.place, 'rule', 'a rule without preference gets one that the kernel chooses')
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
