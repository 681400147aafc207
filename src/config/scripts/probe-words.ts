/** Words of a `probe` line: what stands where, and what is wrong with it. */
import type { Endpoint, TlsWanted } from '../../base/probe.ts'
import type { Lowering } from '../draft/report.ts'
import type { Word } from '../language/tree-types.ts'

/** A word that makes no sense, and why. */
export class Mistake extends Error {
  readonly word: Word
  constructor(word: Word, message: string) {
    super(message)
    this.word = word
  }
}

export type Option = { readonly name: Word; readonly value: Word }

/** The last one counts, as everywhere in the language. */
export const lastOf = (options: readonly Option[], name: string): Word | undefined =>
  options.findLast((option) => option.name.text === name)?.value

/** `HOST:PORT`, `[IPV6]:PORT`; the port may be left out where the kind has one of its own. */
export function hostPort(word: Word, usual: number | null): Extract<Endpoint, { kind: 'tcp' }> {
  const [, six, name, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(word.text) ?? []
  const host = six ?? name
  const number = port === undefined ? usual : Number(port)
  if (host === undefined || number === null || number < 1 || number > 65_535)
    throw new Mistake(word, `${word.text} is not HOST:PORT (an IPv6 address stands in brackets)`)
  return { kind: 'tcp', host, port: number }
}

export function absolutePath(word: Word): string {
  if (!word.text.startsWith('/')) throw new Mistake(word, `${word.text} is not an absolute path`)
  return word.text
}

/** A socket's path, or HOST:PORT. */
export const endpoint = (word: Word, usualPort: number | null): Endpoint =>
  word.text.startsWith('/') ? { kind: 'unix', path: word.text } : hostPort(word, usualPort)

/** An endpoint in words. */
export const where = (to: Endpoint): string =>
  to.kind === 'unix' ? to.path : `${to.host} port ${to.port}`

export function whole(word: Word | undefined, min: number, max: number, other: number): number {
  if (word === undefined) return other
  const value = Number(word.text)
  if (!/^\d{1,9}$/.test(word.text) || value < min || value > max)
    throw new Mistake(word, `${word.text} is not a whole number from ${min} to ${max}`)
  return value
}

/** Seconds, with decimals, as milliseconds. */
export function milliseconds(word: Word | undefined): number | null {
  if (word === undefined) return null
  const seconds = Number(word.text)
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(word.text) || seconds <= 0)
    throw new Mistake(word, `${word.text} is not a number of seconds above 0`)
  return seconds * 1_000
}

export function oneOf<T extends string>(word: Word | undefined, values: readonly T[], other: T): T {
  if (word === undefined) return other
  const value = values.find((each) => each === word.text)
  if (value === undefined)
    throw new Mistake(word, `${word.text} is not one of ${values.join(', ')}`)
  return value
}

export function hexOf(word: Word): Uint8Array {
  const digits = word.text.replaceAll(' ', '')
  if (!/^([0-9a-f]{2})+$/i.test(digits)) throw new Mistake(word, `${word.text} is not hexadecimal`)
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

export function patternOf(word: Word, source = word.text): string {
  try {
    new RegExp(source, 's')
    return source
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Mistake(word, `${word.text} is not a regular expression (${why})`)
  }
}

export const tlsOptions = ['sni', 'ca', 'cert', 'key', 'days']

/** Files are read now: what the daemon would not find later is a mistake of the configuration. */
export function tlsOf(host: string, options: readonly Option[], lowering: Lowering): TlsWanted {
  const [cert, key] = [lastOf(options, 'cert'), lastOf(options, 'key')]
  if (cert !== undefined && key === undefined) throw new Mistake(cert, 'cert needs a key as well')
  if (key !== undefined && cert === undefined) throw new Mistake(key, 'key needs a cert as well')
  const ca = lastOf(options, 'ca')
  return {
    serverName: lastOf(options, 'sni')?.text ?? host,
    ca: ca === undefined ? null : contentOf(ca, lowering),
    days: whole(lastOf(options, 'days'), 0, 9_999, 0),
    client:
      cert === undefined || key === undefined
        ? null
        : { certificate: contentOf(cert, lowering), key: contentOf(key, lowering) },
  }
}

export function contentOf(word: Word, lowering: Lowering): string {
  const read = lowering.world.readFile(word.text)
  if ('text' in read) return read.text
  throw new Mistake(word, `${word.text} cannot be read: ${read.why}`)
}
