/**
 * `probe KIND TARGET [OPTION VALUE]…`: what an in-process check asks. The line becomes plain data; whatever it cannot
 * mean is reported with its place, and the check then cannot run.
 */
import type { DialogueProbe, Endpoint, Probe, TlsWanted, Turn } from '../base/probe.ts'
import type { Lowering } from './lower-report.ts'
import { octetsOf } from './probe-octets.ts'
import type { Word } from './tree-types.ts'

/** A word that makes no sense, and why. */
class Mistake extends Error {
  readonly word: Word
  constructor(word: Word, message: string) {
    super(message)
    this.word = word
  }
}

type Option = { readonly name: Word; readonly value: Word }
type Kind = {
  /** Of the options, those that it takes. */
  readonly options: readonly string[]
  readonly make: (target: Word, options: readonly Option[], lowering: Lowering) => Probe
}

const turnOptions = ['send', 'send_hex', 'expect', 'expect_hex', 'expect_regex']
const tlsOptions = ['sni', 'ca', 'days']

const kinds: Readonly<Record<string, Kind>> = {
  tcp: {
    options: turnOptions,
    make: (target, options) => dialogueTo(hostPort(target, null), null, turnsOf(options)),
  },
  tls: {
    options: [...tlsOptions, ...turnOptions],
    make: (target, options, lowering) => {
      const to = hostPort(target, 443)
      return dialogueTo(to, tlsOf(to.host, options, lowering), turnsOf(options))
    },
  },
  unix: {
    options: turnOptions,
    make: (target, options) => dialogueTo(socketPath(target), null, turnsOf(options)),
  },
  smtp: {
    options: [],
    make: (target) =>
      dialogueTo(hostPort(target, 25), null, [
        line('^220[ -]'),
        { kind: 'send', octets: octetsOf('QUIT\\r\\n') },
        line('^(220-|221)'),
      ]),
  },
  redis: {
    options: [],
    make: (target) =>
      dialogueTo(hostPort(target, 6379), null, [
        { kind: 'send', octets: octetsOf('PING\\r\\n') },
        line('^\\+PONG$'),
      ]),
  },
  http: { options: ['method', 'host', 'status', 'header', 'body'], make: httpOf },
  https: { options: ['method', 'host', 'status', 'header', 'body', ...tlsOptions], make: httpOf },
}

export const probeKinds: readonly string[] = Object.keys(kinds)

/** null after a mistake, which has been reported. */
export function readProbe(words: readonly Word[], lowering: Lowering): Probe | null {
  const [kindWord, target] = words
  if (kindWord === undefined) return null
  try {
    const kind = Object.hasOwn(kinds, kindWord.text) ? kinds[kindWord.text] : undefined
    if (kind === undefined)
      throw new Mistake(
        kindWord,
        `${kindWord.text} is no probe; there are ${probeKinds.join(', ')}`,
      )
    if (target === undefined) throw new Mistake(kindWord, `probe ${kindWord.text} needs a target`)
    return kind.make(target, optionsOf(kindWord, words.slice(2), kind.options), lowering)
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    lowering.error(error.word, 'bad-probe', `${error.message}; the check cannot run`)
    return null
  }
}

function optionsOf(kind: Word, words: readonly Word[], allowed: readonly string[]): Option[] {
  const options: Option[] = []
  for (let i = 0; i < words.length; i += 2) {
    const [name, value] = [words[i], words[i + 1]]
    if (name === undefined) break
    if (!allowed.includes(name.text)) {
      const known = allowed.length === 0 ? 'it takes none' : `it takes ${allowed.join(', ')}`
      throw new Mistake(name, `probe ${kind.text} has no option ${name.text}: ${known}`)
    }
    if (value === undefined) throw new Mistake(name, `${name.text} needs a value`)
    options.push({ name, value })
  }
  return options
}

const dialogueTo = (
  to: Endpoint,
  tls: TlsWanted | null,
  turns: readonly Turn[],
): DialogueProbe => ({
  kind: 'dialogue',
  to,
  tls,
  turns,
})

const line = (source: string): Turn => ({ kind: 'expect', what: { kind: 'line', source } })

/** `HOST:PORT`, `[IPV6]:PORT`; the port may be left out where the kind has one of its own. */
function hostPort(word: Word, usual: number | null): Extract<Endpoint, { kind: 'tcp' }> {
  const [, six, name, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(word.text) ?? []
  const host = six ?? name
  const number = port === undefined ? usual : Number(port)
  if (host === undefined || number === null || number < 1 || number > 65_535)
    throw new Mistake(word, `${word.text} is not HOST:PORT (an IPv6 address stands in brackets)`)
  return { kind: 'tcp', host, port: number }
}

function socketPath(word: Word): Endpoint {
  if (!word.text.startsWith('/')) throw new Mistake(word, `${word.text} is not an absolute path`)
  return { kind: 'unix', path: word.text }
}

function turnsOf(options: readonly Option[]): Turn[] {
  return options.flatMap(({ name, value }): Turn[] => {
    const { text } = value
    switch (name.text) {
      case 'send':
        return [{ kind: 'send', octets: octetsOf(text) }]
      case 'send_hex':
        return [{ kind: 'send', octets: hexOf(value) }]
      case 'expect':
        return [{ kind: 'expect', what: { kind: 'octets', octets: octetsOf(text) } }]
      case 'expect_hex':
        return [{ kind: 'expect', what: { kind: 'octets', octets: hexOf(value) } }]
      case 'expect_regex':
        return [{ kind: 'expect', what: { kind: 'pattern', source: patternOf(value) } }]
      default:
        return []
    }
  })
}

function hexOf(word: Word): Uint8Array {
  const digits = word.text.replaceAll(' ', '')
  if (!/^([0-9a-f]{2})+$/i.test(digits)) throw new Mistake(word, `${word.text} is not hexadecimal`)
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

function patternOf(word: Word, source = word.text): string {
  try {
    new RegExp(source, 's')
    return source
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Mistake(word, `${word.text} is not a regular expression (${why})`)
  }
}

/** The last one counts, as everywhere in the language. */
const lastOf = (options: readonly Option[], name: string): Word | undefined =>
  options.findLast((option) => option.name.text === name)?.value

function tlsOf(host: string, options: readonly Option[], lowering: Lowering): TlsWanted {
  const [sni, ca, days] = ['sni', 'ca', 'days'].map((name) => lastOf(options, name))
  const pem = ca === undefined ? null : lowering.world.readFile(ca.text)
  if (ca !== undefined && pem === null) throw new Mistake(ca, `${ca.text} cannot be read`)
  if (days !== undefined && !/^\d{1,4}$/.test(days.text))
    throw new Mistake(days, `days is a whole number, not ${days.text}`)
  return { serverName: sni?.text ?? host, ca: pem, days: Number(days?.text ?? 0) }
}

function httpOf(target: Word, options: readonly Option[], lowering: Lowering): Probe {
  const [, scheme, authority = '', path] =
    /^(https?):\/\/([^/?#]+)([/?][^#]*)?$/.exec(target.text) ?? []
  if (scheme === undefined) throw new Mistake(target, `${target.text} is not an http(s) URL`)
  const to = hostPort({ ...target, text: authority }, scheme === 'https' ? 443 : 80)
  const method = lastOf(options, 'method')
  if (method !== undefined && !/^[A-Z]+$/.test(method.text))
    throw new Mistake(method, `${method.text} is not a method, such as GET or HEAD`)
  const body = lastOf(options, 'body')
  return {
    kind: 'http',
    method: method?.text ?? 'GET',
    host: to.host,
    port: to.port,
    path: path === undefined ? '/' : path.startsWith('?') ? `/${path}` : path,
    hostField: lastOf(options, 'host')?.text ?? authority,
    tls: scheme === 'https' ? tlsOf(to.host, options, lowering) : null,
    status: statusOf(lastOf(options, 'status')),
    fields: options.filter(({ name }) => name.text === 'header').map(({ value }) => field(value)),
    body: body === undefined ? null : patternOf(body),
  }
}

function statusOf(word: Word | undefined) {
  if (word === undefined) return [{ from: 200, to: 399 }]
  return word.text.split(',').map((part) => {
    const [, from, to = from] = /^(\d{3})(?:-(\d{3}))?$/.exec(part) ?? []
    if (from === undefined || Number(to) < Number(from))
      throw new Mistake(word, `${word.text} is not a list of statuses, such as 200-299,401`)
    return { from: Number(from), to: Number(to) }
  })
}

function field(word: Word) {
  const [, name, source] = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*)$/.exec(word.text) ?? []
  if (name === undefined) throw new Mistake(word, `${word.text} is not 'NAME: REGEX'`)
  return { name: name.toLowerCase(), source: patternOf(word, source ?? '') }
}
