/**
 * The lines of `virtual_ipaddress` and `virtual_ipaddress_excluded`. A line that makes no sense
 * is left out with its place; one that makes partial sense keeps the part.
 */

import type { Ip } from '../../base/ip.ts'
import { ipBytes, ipFamily, ipFromBytes, parseIp } from '../../base/ip.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node, Word } from '../language/tree-types.ts'
import type { VirtualAddress } from '../virtual-address.ts'
import { vmacWanted } from '../virtual-address.ts'
import { oneALine, readLenientAddress, withoutCommas } from './lenient-address.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const scopes: Readonly<Record<string, number>> = {
  global: 0, universe: 0, site: 200, link: 253, host: 254, nowhere: 255,
} // biome-ignore format: a table

/** `ADDR[/LEN] [brd …] [dev IF] …`, as in virtual_ipaddress; null when the whole line is to be ignored. */
export function readAddressEntry(node: Node, lowering: Lowering): VirtualAddress | null {
  const parsed = readPrefix(node.keyword, lowering)
  if (parsed === null) {
    const { text } = node.keyword
    const message = `${text} is not an IP address${withoutCommas(text)}; the line is ignored`
    lowering.error(node.keyword, 'bad-address', message)
    return null
  }
  const { address, prefixLength } = parsed
  const v6 = ipFamily(address) === 6
  // A literal without a spread: a file may hold 400,000 of them.
  const entry: Mutable<VirtualAddress> = {
    address,
    prefixLength,
    interface: null,
    vmac: null,
    broadcast: null,
    label: null,
    scope: 0,
    peer: null,
    home: false,
    nodad: v6,
    mngtmpaddr: false,
    noprefixroute: false,
    autojoin: false,
    track: true,
    preferredSeconds: v6 && prefixLength === 128 ? 0 : null,
    place: node.place,
  }
  return applyOptions(entry, node.args, lowering) ? entry : null
}

/** False when an option spoils the whole line. */
function applyOptions(
  entry: Mutable<VirtualAddress>,
  words: readonly Word[],
  lowering: Lowering,
): boolean {
  for (let i = 0; i < words.length; i++) {
    const word = words[i]
    if (word === undefined) break
    const option = options[word.text]
    if (option === undefined) {
      const why =
        readLenientAddress(word.text) === null ? 'means nothing in an address' : oneALine('address')
      lowering.error(word, 'unknown-word', `${word.text} ${why}; it is ignored`)
      continue
    }
    const value = option.takes ? words[++i] : word
    if (value === undefined) {
      const message = `${word.text} needs a value; the address ${entry.address} is left out`
      lowering.error(word, 'missing-value', message)
      return false
    }
    if (option.apply(entry, value, lowering) === 'drop') return false
  }
  return true
}

/** 'addr' or 'addr/len'; a bad length is reported and the longest is used. null: it is no address. */
export function readPrefix(
  word: Word,
  lowering: Lowering,
): { readonly address: Ip; readonly prefixLength: number } | null {
  const slash = word.text.indexOf('/')
  const address = parseIp(slash < 0 ? word.text : word.text.slice(0, slash))
  if (address === null) return null
  const longest = ipFamily(address) === 4 ? 32 : 128
  const length = slash < 0 ? '' : word.text.slice(slash + 1)
  if (length === '') return { address, prefixLength: longest }
  if (/^\d+$/.test(length) && Number(length) <= longest) {
    return { address, prefixLength: Number(length) }
  }
  const message = `prefix length ${length} is not in 0..${longest}; ${longest} is used`
  lowering.error(word, 'bad-number', message)
  return { address, prefixLength: longest }
}

type Option = {
  readonly takes: boolean
  readonly apply: (
    entry: Mutable<VirtualAddress>,
    word: Word,
    lowering: Lowering,
  ) => 'drop' | undefined
}

const flag = (set: (entry: Mutable<VirtualAddress>) => void): Option => ({
  takes: false,
  apply: (entry) => {
    set(entry)
    return undefined
  },
})

const broadcast: Option = { takes: true, apply: setBroadcast }

const options: Readonly<Record<string, Option>> = {
  brd: broadcast,
  broadcast,
  dev: { takes: true, apply: setDevice },
  label: { takes: true, apply: setLabel },
  scope: { takes: true, apply: setScope },
  peer: { takes: true, apply: setPeer },
  preferred_lft: { takes: true, apply: setPreferred },
  home: flag((entry) => {
    entry.home = true
  }),
  '-nodad': flag((entry) => {
    entry.nodad = false
  }),
  mngtmpaddr: flag((entry) => {
    entry.mngtmpaddr = true
  }),
  noprefixroute: flag((entry) => {
    entry.noprefixroute = true
  }),
  autojoin: flag((entry) => {
    entry.autojoin = true
  }),
  no_track: flag((entry) => {
    entry.track = false
  }),
  use_vmac: flag((entry) => {
    entry.vmac = vmacWanted
  }),
}

function setBroadcast(entry: Mutable<VirtualAddress>, word: Word, lowering: Lowering) {
  if (ipFamily(entry.address) === 6) {
    const message = `an IPv6 address has no broadcast address; ${entry.address} is left out`
    lowering.error(word, 'bad-address', message)
    return 'drop' as const
  }
  if (word.text === '+' || word.text === '-') {
    if (entry.prefixLength > 30) {
      const message = `a /${entry.prefixLength} has no broadcast address; brd ${word.text} is ignored`
      lowering.error(word, 'bad-address', message)
      return undefined
    }
    entry.broadcast = edgeOfNet(entry.address, entry.prefixLength, word.text === '+' ? 1 : 0)
    return undefined
  }
  const address = parseIp(word.text)
  if (address === null || ipFamily(address) === 6) {
    const message = `${word.text} is not a broadcast address; ${entry.address} is left out`
    lowering.error(word, 'bad-address', message)
    return 'drop' as const
  }
  entry.broadcast = address
  return undefined
}

/** The address with every host bit set (1) or cleared (0). */
function edgeOfNet(address: Ip, prefixLength: number, bit: 0 | 1): Ip {
  const bytes = ipBytes(address).map((byte, i) => {
    const hostBits = Math.min(8, Math.max(0, 8 * (i + 1) - prefixLength))
    const mask = (1 << hostBits) - 1
    return bit === 1 ? byte | mask : byte & ~mask
  })
  return ipFromBytes(bytes)
}

function setDevice(entry: Mutable<VirtualAddress>, word: Word, lowering: Lowering) {
  if (entry.interface !== null) {
    const message = `dev is written twice; the address ${entry.address} is left out`
    lowering.error(word, 'duplicate', message)
    return 'drop' as const
  }
  if (lowering.interfaceIsMissing(word.text)) {
    const message = `interface ${word.text} of address ${entry.address} does not exist`
    lowering.missingInterface(word, message)
  }
  entry.interface = word.text
  return undefined
}

function setLabel(entry: Mutable<VirtualAddress>, word: Word, lowering: Lowering) {
  if (ipFamily(entry.address) === 6) {
    lowering.error(word, 'bad-label', 'an IPv6 address has no label; it is ignored')
  } else if (word.text.length > 15) {
    const message = `label ${word.text} is longer than 15 characters; ${entry.address} is left out`
    lowering.error(word, 'bad-label', message)
    return 'drop' as const
  } else entry.label = word.text
  return undefined
}

function setScope(entry: Mutable<VirtualAddress>, word: Word, lowering: Lowering) {
  const scope = /^\d+$/.test(word.text) ? Number(word.text) : scopes[word.text]
  if (ipFamily(entry.address) === 6) {
    lowering.error(
      word,
      'bad-scope',
      'the scope of an IPv6 address is given by the address; ignored',
    )
  } else if (scope === undefined || scope > 255) {
    lowering.error(word, 'bad-scope', `${word.text} is not a scope; global is used`)
  } else entry.scope = scope
  return undefined
}

function setPeer(entry: Mutable<VirtualAddress>, word: Word, lowering: Lowering) {
  const peer = readPrefix(word, lowering)
  if (peer === null || ipFamily(peer.address) !== ipFamily(entry.address)) {
    lowering.error(word, 'bad-address', `${word.text} is not a peer address; it is ignored`)
    return undefined
  }
  // The prefix length of such a pair is the peer's.
  const longest = ipFamily(entry.address) === 4 ? 32 : 128
  if (entry.prefixLength !== longest) {
    const message = `beside a peer the prefix length of ${entry.address} counts as ${longest}`
    lowering.error(word, 'bad-address', message)
    entry.prefixLength = longest
  }
  entry.peer = peer
  return undefined
}

function setPreferred(entry: Mutable<VirtualAddress>, word: Word, lowering: Lowering) {
  const seconds = /^\d+$/.test(word.text) ? Number(word.text) : Number.NaN
  if (word.text === 'forever') entry.preferredSeconds = null
  // 0 says nothing, as in keepalived: a deprecated address is not what it means.
  else if (seconds > 0 && seconds <= 0xffff_ffff)
    entry.preferredSeconds = Math.min(seconds, 0xffff_fffe)
  else if (seconds !== 0) {
    const message = `preferred_lft ${word.text} is neither 'forever' nor in 0..4294967295 seconds; it is ignored`
    lowering.error(word, 'bad-number', message)
  }
  return undefined
}
