/** The lines of `unicast_peer`. */
import { ipFamily } from '../../base/ip.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node, Word } from '../language/tree-types.ts'
import type { Peer } from '../types.ts'
import { readWord } from './arguments.ts'
import { cutMessage, oneALine, readLenientAddress, withoutCommas } from './lenient-address.ts'

/** `IP [min_ttl N] [max_ttl N]`. */
export function readPeerEntry(node: Node, family: 4 | 6 | null, lowering: Lowering): Peer | null {
  const read = readLenientAddress(node.keyword.text)
  if (read === null) {
    const { text } = node.keyword
    const message = `peer ${text} is not an IP address${withoutCommas(text)}; it is left out`
    lowering.error(node.keyword, 'bad-address', message)
    return null
  }
  const address = read.value
  if (read.cut !== '') lowering.warning(node.keyword, 'bad-address', cutMessage('peer', read))
  if (family !== null && ipFamily(address) !== family) {
    const message = `peer ${address} is not IPv${family} as the rest of the instance; it is left out`
    lowering.error(node.keyword, 'mixed-families', message)
    return null
  }
  const bounds = { min_ttl: 0, max_ttl: 255 }
  const options = node.args.filter((word) => !isAnotherPeer(word, lowering))
  for (let i = 0; i < options.length; i += 2) {
    const [option, value] = [options[i], options[i + 1]]
    if (option !== undefined) readTtl(bounds, option, value, lowering)
  }
  const { min_ttl: minTtl, max_ttl: maxTtl } = bounds
  if (minTtl > maxTtl) {
    const message = `min_ttl ${minTtl} is greater than max_ttl ${maxTtl}: every advert of ${address} is dropped`
    lowering.error(node.keyword, 'bad-number', message)
  }
  return { address, minTtl, maxTtl }
}

/** A further peer on the line, which keepalived does not take either. */
function isAnotherPeer(word: Word, lowering: Lowering): boolean {
  const another =
    /[.:]/.test(word.text) && readLenientAddress(word.text.replace(/,.*/, '')) !== null
  if (another)
    lowering.error(word, 'unknown-word', `${word.text} ${oneALine('peer')}; it is left out`)
  return another
}

function readTtl(
  bounds: { min_ttl: number; max_ttl: number },
  option: Word,
  value: Word | undefined,
  lowering: Lowering,
) {
  const name = option.text
  if ((name !== 'min_ttl' && name !== 'max_ttl') || value === undefined) {
    const why = value === undefined ? 'needs a value' : 'means nothing after a peer'
    lowering.error(option, 'unknown-word', `${name} ${why}; it is ignored`)
    return
  }
  const ttl = readWord({ kind: 'integer', name: 'TTL', min: 0, max: 255 }, value)
  if ('value' in ttl) bounds[name] = Number(ttl.value)
  else lowering.error(value, 'bad-number', `${name} ${value.text} ${ttl.why}; it is ignored`)
}
