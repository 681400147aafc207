/** `encap …` of a route: what a packet is wrapped into on its way. */
import { type Ip, ipFamily } from '../../base/ip.ts'
import type { LightTunnel } from '../../base/routing.ts'
import type { Word } from '../language/tree-types.ts'
import { type RoutingWords, readNumber } from './routing-words.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Tunnel = Mutable<LightTunnel & { readonly kind: 'ip' | 'ip6' }>

export function readEncap(at: Word, words: RoutingWords): LightTunnel {
  const kind = words.value(at)
  switch (kind.text) {
    case 'ip':
    case 'ip6':
      return readTunnel(kind.text, kind, words)
    case 'mpls':
      return { kind: 'mpls', labels: readLabels(words.value(kind), words) }
    case 'ila':
      return { kind: 'ila', locator: readLocator(words.value(kind), words) }
    default:
      return words.drop(kind, 'unknown-word', `${kind.text} is no kind of encapsulation`)
  }
}

const tunnelWords = { ip: ['tos', 'ttl'], ip6: ['tc', 'hoplimit'] } as const

function readTunnel(kind: 'ip' | 'ip6', at: Word, words: RoutingWords): LightTunnel {
  const none = { id: null, destination: null, source: null, tos: null, ttl: null, flags: null }
  const tunnel: Tunnel = { kind, ...none }
  const [tos, ttl] = tunnelWords[kind]
  const take: Readonly<Record<string, (word: Word) => void>> = {
    id: (word) => {
      tunnel.id = words.u64(word)
    },
    dst: (word) => {
      tunnel.destination = ofFamily(kind, word, words)
    },
    src: (word) => {
      tunnel.source = ofFamily(kind, word, words)
    },
    flags: (word) => {
      tunnel.flags = words.number(word, 0, 0xffff)
    },
    [tos]: (word) => {
      tunnel.tos = words.number(word, 0, 255)
    },
    [ttl]: (word) => {
      tunnel.ttl = words.number(word, 0, 255)
    },
  }
  while (Object.hasOwn(take, words.peek() ?? '')) {
    const word = words.next()
    if (word !== null) take[word.text]?.(word)
  }
  if (tunnel.id === null && tunnel.destination === null)
    words.drop(at, 'route', `encap ${kind} needs dst or id`)
  return tunnel
}

function ofFamily(kind: 'ip' | 'ip6', word: Word, words: RoutingWords): Ip {
  const address = words.address(word)
  if (ipFamily(address) === (kind === 'ip' ? 4 : 6)) return address
  return words.drop(word, 'mixed-families', `${address} is not of the family of encap ${kind}`)
}

function readLabels(word: Word, words: RoutingWords): readonly number[] {
  return word.text.split('/').map((text) => {
    const label = readNumber(text)
    if (label !== null && label < 1 << 20) return label
    return words.drop(word, 'bad-number', `${word.text} are no MPLS labels LABEL[/LABEL…]`)
  })
}

/** X:X:X:X, 16 bits each. */
function readLocator(word: Word, words: RoutingWords): bigint {
  const parts = word.text.split(':')
  if (parts.length !== 4 || !parts.every((part) => /^[\da-fA-F]{1,4}$/.test(part)))
    words.drop(word, 'bad-address', `${word.text} is no locator X:X:X:X`)
  return parts.reduce((all, part) => (all << 16n) | BigInt(`0x${part}`), 0n)
}
