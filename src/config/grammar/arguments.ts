/**
 * From words to values by the rules of the table. A word that does not fit never stops the file: it is
 * reported with its range and with what happens instead, and the keyword is left at its default.
 */
import { ipFamily, isMulticast } from '../../base/ip.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node, Word } from '../language/tree-types.ts'
import type { Argument, Keyword, Value, Values } from './entries.ts'
import { cutMessage, readLenientAddress } from './lenient-address.ts'

/** Of a run directory, a pid file and a control socket it is a part; that path has 107 octets at most. */
const partMax = 64

/** The values of a line, or null when the keyword is to be ignored; then a message says why. */
export function readArguments(keyword: Keyword, node: Node, lowering: Lowering): Values | null {
  const values: (Value | undefined)[] = []
  for (const argument of keyword.args) {
    if (takesTheRest(argument)) return values
    const word = node.args[values.length]
    if (word === undefined) {
      if (argument.kind === 'switch') values.push(true)
      else if (argument.optional === true) values.push(undefined)
      else return missing(keyword, argument, node, lowering)
      continue
    }
    const read = readWord(argument, word)
    if (!('value' in read)) {
      reportBad(keyword, argument, word, read.why, lowering)
      return null
    }
    remark(keyword, argument, word, read, lowering)
    values.push(read.value)
  }
  return extraWords(keyword, node, lowering) ? null : values
}

/** `changed` is an error that keepalived reports as well, `warning` what it passes over. */
export type Read =
  | { readonly value: Value; readonly changed?: string; readonly warning?: string }
  | { readonly why: string }

/** One word by one argument's rule: the value, or why it is none. */
export function readWord(argument: Argument, word: Word): Read {
  switch (argument.kind) {
    case 'integer':
      return readInteger(argument, word.text)
    case 'decimal':
      return readDecimal(argument, word.text)
    case 'switch': {
      const on = readSwitch(word.text)
      if (on !== null) return { value: on }
      return argument.otherwiseOn === true
        ? { value: true, warning: 'is neither on nor off; it counts as on' }
        : { why: 'is not on, true, yes, off, false or no' }
    }
    case 'choice':
      return argument.values.includes(word.text)
        ? { value: word.text }
        : { why: `is not one of ${argument.values.join(', ')}` }
    case 'address':
      return readAddress(argument, word.text)
    case 'text':
      return readText(argument, word.text)
    case 'interface':
    case 'command':
    case 'user':
    case 'words':
      return { value: word.text }
  }
}

function readText(
  { absolute, part, matching }: Extract<Argument, { readonly kind: 'text' }>,
  text: string,
): Read {
  if (absolute === true && !text.startsWith('/')) return { why: 'is not an absolute path' }
  if (part === true && (/[/\0]/.test(text) || /^\.{0,2}$/.test(text) || text.length > partMax))
    return { why: `is not a name of at most ${partMax} characters without a slash` }
  if (matching !== undefined && !matching.pattern.test(text)) return { why: matching.why }
  return { value: text }
}

/** `on off true false yes no`, lower case only. */
export function readSwitch(text: string): boolean | null {
  if (['on', 'true', 'yes'].includes(text)) return true
  return ['off', 'false', 'no'].includes(text) ? false : null
}

/** Says what of the word was not taken as it stands. */
function remark(
  keyword: Keyword,
  argument: Argument,
  word: Word,
  read: Extract<Read, { readonly value: Value }>,
  lowering: Lowering,
): void {
  if (read.changed !== undefined) {
    const message = `${keyword.name} ${word.text} ${read.changed}; ${read.value} is used`
    lowering.error(word, 'bad-number', message)
  }
  if (read.warning !== undefined) lowering.warning(word, `bad-${argument.kind}`, read.warning)
}

type Bounds = { readonly min: number; readonly max: number; readonly zeroIs?: number }

function readInteger(argument: Bounds & { readonly clamp?: true }, text: string): Read {
  if (!/^[+-]?\d+$/.test(text)) return { why: 'is not a whole number' }
  const value = Number(text)
  if (value >= argument.min && value <= argument.max) return { value }
  if (value === 0 && argument.zeroIs !== undefined) {
    return { value: argument.zeroIs, changed: 'must be greater than 0' }
  }
  const range = `is not in ${argument.min}..${argument.max}`
  if (argument.clamp !== true) return { why: range }
  return { value: Math.min(Math.max(value, argument.min), argument.max), changed: range }
}

function readDecimal(argument: Bounds & { readonly places: number }, text: string): Read {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) return { why: 'is not a number' }
  const scale = 10 ** argument.places
  const value = Math.round(Number(text) * scale) / scale
  const range = `is not in ${argument.min}..${argument.max}`
  if (value === 0 && argument.zeroIs !== undefined) {
    return { value: argument.zeroIs, changed: 'must be greater than 0' }
  }
  if (value < argument.min || value > argument.max) return { why: range }
  const decimals = text.split('.')[1]?.length ?? 0
  if (decimals <= argument.places) return { value }
  return { value, changed: `has more than ${argument.places} decimals` }
}

function readAddress(
  argument: { readonly family?: 4 | 6; readonly multicast?: true },
  text: string,
): Read {
  const read = readLenientAddress(text)
  if (read === null) return { why: 'is not an IP address' }
  const { value } = read
  if (argument.family !== undefined && ipFamily(value) !== argument.family) {
    return { why: `is not an IPv${argument.family} address` }
  }
  if (argument.multicast === true && !isMulticast(value))
    return { why: 'is not a multicast address' }
  return read.cut === '' ? { value } : { value, warning: cutMessage('the address', read) }
}

const takesTheRest = (argument: Argument): boolean =>
  argument.kind === 'words' || argument.kind === 'command' || argument.kind === 'user'

function missing(keyword: Keyword, argument: Argument, node: Node, lowering: Lowering): null {
  const message = `${keyword.name} needs ${argument.name}; the line is ignored`
  if (keyword.missing === 'config') lowering.error(node.place, 'missing-operand', message)
  else lowering.missingOperand(node.place, message)
  return null
}

const numeric = (argument: Argument): boolean =>
  argument.kind === 'integer' || argument.kind === 'decimal'

function reportBad(
  keyword: Keyword,
  argument: Argument,
  word: Word,
  why: string,
  lowering: Lowering,
) {
  const code = numeric(argument) ? 'bad-number' : `bad-${argument.kind}`
  const instead =
    keyword.default === undefined
      ? 'the line is ignored'
      : `the default, ${keyword.default}, is used`
  lowering.error(word, code, `${keyword.name} ${word.text} ${why}; ${instead}`)
}

/** True when the surplus makes the line void. */
function extraWords(keyword: Keyword, node: Node, lowering: Lowering): boolean {
  const surplus = node.args.slice(keyword.args.length)
  const [first] = surplus
  if (first === undefined || keyword.form !== 'line') return false
  const text = surplus.map((word) => word.text).join(' ')
  if (keyword.extra === 'error') {
    lowering.error(first, 'extra-words', `${keyword.name} takes no ${text}; the line is ignored`)
    return true
  }
  lowering.lost(
    first,
    'extra-words',
    `'${text}' after ${keyword.name} has no effect; one keyword to a line`,
  )
  return false
}
