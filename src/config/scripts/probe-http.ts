/** `probe http URL` and `probe https URL`. */
import type { HttpProbe, Probe } from '../../base/probe.ts'
import type { Word } from '../language/tree-types.ts'
import { type Descriptions, type Operands, probes } from './probe-entry.ts'
import { hostPort, lastOf, Mistake, patternOf, tlsOf, tlsOptions } from './probe-words.ts'

const httpOptions = ['method', 'host', 'status', 'header', 'body', 'sha256']

export const httpWords = probes({
  http: {
    options: httpOptions,
    make: httpProbe,
    doc: {
      usage: '`http URL`, `https URL`',
      yes: 'the status is expected',
      options:
        '`method`, `host`, `status 200-299,401` (200-399 unless written), `header "NAME: REGEX"`, `body REGEX`, `sha256 HEX` of the body; https those of tls',
    },
  },
  https: { options: [...httpOptions, ...tlsOptions], make: httpProbe, doc: null },
})

export const httpDescriptions: Descriptions<HttpProbe> = {
  http: ({ method, tls, hostField, path }) =>
    `${method} ${tls === null ? 'http' : 'https'}://${hostField}${path}`,
}

function httpProbe({ target, options, lowering }: Operands): Probe {
  const [, scheme, authority = '', path] =
    /^(https?):\/\/([^/?#]+)([/?][^#]*)?$/.exec(target.text) ?? []
  if (scheme === undefined) throw new Mistake(target, `${target.text} is not an http(s) URL`)
  const to = hostPort({ ...target, text: authority }, scheme === 'https' ? 443 : 80)
  const body = lastOf(options, 'body')
  return {
    kind: 'http',
    method: methodOf(lastOf(options, 'method')),
    host: to.host,
    port: to.port,
    path: path === undefined ? '/' : path.startsWith('?') ? `/${path}` : path,
    hostField: lastOf(options, 'host')?.text ?? authority,
    tls: scheme === 'https' ? tlsOf(to.host, options, lowering) : null,
    status: statusOf(lastOf(options, 'status')),
    fields: options.filter(({ name }) => name.text === 'header').map(({ value }) => field(value)),
    body: body === undefined ? null : patternOf(body),
    digest: digestOf(lastOf(options, 'sha256')),
  }
}

function methodOf(word: Word | undefined): string {
  if (word === undefined) return 'GET'
  if (!/^[A-Z]+$/.test(word.text))
    throw new Mistake(word, `${word.text} is not a method, such as GET or HEAD`)
  return word.text
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

function digestOf(word: Word | undefined): string | null {
  if (word === undefined) return null
  if (!/^[0-9a-f]{64}$/i.test(word.text))
    throw new Mistake(word, `${word.text} is not a SHA-256 in 64 hexadecimal digits`)
  return word.text.toLowerCase()
}
