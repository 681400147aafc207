/** Lines that this version does not act on and whose words are more than a table of arguments says. */
import type { Lowering } from '../draft/report.ts'
import { readWord } from '../grammar/arguments.ts'
import type { Values } from '../grammar/entries.ts'
import { integer } from '../grammar/make.ts'
import type { Node, Word } from '../language/tree-types.ts'

/** `[all] SECONDS` of garp_extra_if; null: it says nothing that can be used. */
export function readExtraIf(
  node: Node,
  least: number,
  most: number,
  lowering: Lowering,
): { readonly all: boolean; readonly seconds: number } | null {
  const all = node.args[0]?.text === 'all'
  const words = all ? node.args.slice(1) : node.args
  if (words.length === 0) {
    const message = `${node.keyword.text} needs a number of seconds`
    lowering.error(node.place, 'missing-operand', message)
    return null
  }
  const read = words.map((word) => checkInteger(word, least, most, node, lowering))
  const [seconds = null] = read
  return seconds === null ? null : { all, seconds }
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

/** null: it is said that it is no such number. */
function checkInteger(
  word: Word,
  least: number,
  most: number,
  node: Node,
  lowering: Lowering,
): number | null {
  const read = readWord(integer('NUMBER', least, most), word)
  if ('value' in read) return Number(read.value)
  lowering.error(word, 'bad-number', `${node.keyword.text} ${word.text} ${read.why}; it is ignored`)
  return null
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
