/** `global_defs`: `vipd_http`, the metrics, the API and the page. Off unless it is written. */
import type { GlobalDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { GlobalEntry, Values } from '../grammar/entries.ts'
import { anyWords, inBlock, word } from '../grammar/make.ts'
import {
  type HttpAddress,
  type HttpListener,
  type HttpPeer,
  httpAddressText,
  isLoopback,
} from '../http.ts'
import type { Node, Word } from '../language/tree-types.ts'

export const httpKeywords: readonly GlobalEntry[] = inBlock<GlobalDraft>('global_defs', [
  {
    name: 'vipd_http',
    args: [word('ADDRESS'), anyWords('[OPTION VALUE]…')],
    missing: 'config',
    default: 'none: nothing is served',
    doc: 'vipd’s own: metrics, health, events, the API and the page, at `unix:PATH` or `HOST:PORT`; several lines, several addresses. Options: `mode OCTAL` (0600) and `group NAME` of the socket’s file; `token FILE` to read, `action_token FILE` to order something (without it nothing can be ordered there); `cert FILE key FILE` for TLS, with `client_ca FILE` for certificates of the clients; `name NAME` for each further name that the host is asked by. An address that other hosts reach needs a token. See docs/http.md.',
    set: setHttp,
  },
  {
    name: 'vipd_peer_http',
    args: [word('URL'), anyWords('[OPTION VALUE]…')],
    missing: 'config',
    default: 'none: only this host is on the page',
    doc: 'vipd’s own: where the peer’s `vipd_http` answers, `http://HOST:PORT` or `https://HOST:PORT`; several lines, several peers. It is asked for its side while the page or `/api/v1/pair` is read, and what does not fit is said in words: two masters, no master, different addresses, VRIDs, intervals. Options: `token FILE` (the peer’s, to read), `ca FILE` (the authority of its certificate). See docs/http.md.',
    set: setPeer,
  },
])

const peersMax = 8

function setPeer(draft: GlobalDraft, _values: Values, node: Node, lowering: Lowering): void {
  const [at, ...words] = node.args
  if (at === undefined) return
  try {
    const peer = peerOf(at, optionsOf('vipd_peer_http', words, peerOptions))
    if (draft.httpPeers.some(({ url }) => url === peer.url))
      throw new Mistake(at, 'duplicate', `vipd_peer_http ${peer.url} is written twice`)
    if (draft.httpPeers.length >= peersMax)
      throw new Mistake(at, 'too-many', `there are at most ${peersMax} vipd_peer_http`)
    draft.httpPeers.push(peer)
    if (peer.token !== null && peer.url.startsWith('http:') && !isLoopback(hostOf(peer.url)))
      lowering.warning(
        at,
        'token-in-clear',
        `${peer.url}: the token is sent unencrypted; use https`,
      )
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    lowering.error(error.at, error.code, `${error.message}: this peer is not asked`)
  }
}

const peerOptions = new Set(['token', 'ca'])
const peerUrl = /^https?:\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\/?$/

const hostOf = (url: string): string => (peerUrl.exec(url)?.[1] ?? '').replace(/^\[|\]$/g, '')

function peerOf(at: Word, options: Map<string, Word>): HttpPeer {
  const [whole, , port] = peerUrl.exec(at.text) ?? []
  const number = port === undefined ? 1 : Number(port)
  if (whole === undefined || number < 1 || number > 65_535)
    throw new Mistake(at, 'bad-url', `${at.text} is neither http://HOST:PORT nor https://HOST:PORT`)
  const ca = options.get('ca')
  if (ca !== undefined && !whole.startsWith('https:'))
    throw new Mistake(ca, 'no-effect', 'ca belongs to an https URL')
  const url = whole.replace(/\/$/, '').toLowerCase()
  return { url, token: fileOf(options.get('token')), ca: fileOf(ca) }
}

/** Each once. Throws Mistake. */
function optionsOf(
  keyword: string,
  words: readonly Word[],
  known: ReadonlySet<string>,
): Map<string, Word> {
  const options = new Map<string, Word>()
  for (let i = 0; i < words.length; i += 2) {
    const [option, value] = [words[i] as Word, words[i + 1]]
    if (!known.has(option.text))
      throw new Mistake(option, 'unknown-option', `${keyword} has no option ${option.text}`)
    if (value === undefined)
      throw new Mistake(option, 'missing-value', `${option.text} of ${keyword} needs a value`)
    if (options.has(option.text))
      throw new Mistake(option, 'duplicate', `${option.text} of ${keyword} is written twice`)
    options.set(option.text, value)
  }
  return options
}

/** A mistake leaves the whole line out: half of what protects it may be missing. */
class Mistake extends Error {
  readonly at: Word
  readonly code: string

  constructor(at: Word, code: string, message: string) {
    super(message)
    this.at = at
    this.code = code
  }
}

function setHttp(draft: GlobalDraft, _values: Values, node: Node, lowering: Lowering): void {
  const [address, ...words] = node.args
  if (address === undefined) return
  try {
    const listener = listenerOf(address, words, lowering)
    const text = httpAddressText(listener.address)
    if (draft.http.some((other) => httpAddressText(other.address) === text))
      throw new Mistake(
        address,
        'duplicate',
        `vipd_http ${text} is written twice; the first counts`,
      )
    draft.http.push(listener)
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    lowering.error(error.at, error.code, `${error.message}: nothing is served there`)
  }
}

function listenerOf(at: Word, words: readonly Word[], lowering: Lowering): HttpListener {
  const options = new Map<string, Word>()
  const names: string[] = []
  for (let i = 0; i < words.length; i += 2) {
    const [option, value] = [words[i] as Word, words[i + 1]]
    if (!known.has(option.text))
      throw new Mistake(option, 'unknown-option', `vipd_http has no option ${option.text}`)
    if (value === undefined)
      throw new Mistake(option, 'missing-value', `${option.text} of vipd_http needs a value`)
    if (option.text === 'name') names.push(value.text.toLowerCase())
    else if (options.has(option.text))
      throw new Mistake(option, 'duplicate', `${option.text} of vipd_http is written twice`)
    else options.set(option.text, value)
  }
  const address = addressOf(at, options, lowering)
  const readToken = fileOf(options.get('token'))
  if (address.kind === 'tcp' && !isLoopback(address.host) && readToken === null) {
    const message = `other hosts reach ${at.text}, and vipd_http has no token for it`
    throw new Mistake(at, 'http-needs-token', message)
  }
  const actionToken = fileOf(options.get('action_token'))
  return { address, readToken, actionToken, tls: tlsOf(options), names }
}

const known = new Set([
  ...['mode', 'group', 'token', 'action_token', 'cert', 'key', 'client_ca', 'name'],
])

function addressOf(at: Word, options: Map<string, Word>, lowering: Lowering): HttpAddress {
  if (at.text.startsWith('unix:')) return socketOf(at, options, lowering)
  const file = options.get('mode') ?? options.get('group')
  if (file !== undefined)
    throw new Mistake(
      file,
      'no-effect',
      `mode and group belong to a Unix socket, not to ${at.text}`,
    )
  const [, six, name, port] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(at.text) ?? []
  const host = (six ?? name)?.toLowerCase()
  const number = Number(port)
  if (host === undefined || number < 1 || number > 65_535)
    throw new Mistake(at, 'bad-address', `${at.text} is neither unix:PATH nor HOST:PORT`)
  return { kind: 'tcp', host, port: number }
}

function socketOf(at: Word, options: Map<string, Word>, lowering: Lowering): HttpAddress {
  const [mode, group] = [options.get('mode'), options.get('group')]
  const path = at.text.slice('unix:'.length)
  // The name under which it is made is 9 octets longer, and the kernel takes 107.
  if (!path.startsWith('/') || new TextEncoder().encode(path).length > 98)
    throw new Mistake(at, 'bad-path', `${at.text} is no absolute path of at most 98 octets`)
  if (mode !== undefined && !/^0?[0-7]{3}$/.test(mode.text))
    throw new Mistake(mode, 'bad-number', `${mode.text} is no file mode such as 0660`)
  const gid = group === undefined ? null : lowering.world.group(group.text)
  if (group !== undefined && gid === null)
    throw new Mistake(group, 'unknown-group', `there is no group ${group.text}`)
  return { kind: 'unix', path, mode: Number.parseInt(mode?.text ?? '0600', 8), gid }
}

function tlsOf(options: Map<string, Word>): HttpListener['tls'] {
  const cert = options.get('cert')
  const key = options.get('key')
  const clientCa = options.get('client_ca')
  const other = cert ?? key ?? clientCa
  if (other === undefined) return null
  if (cert === undefined || key === undefined)
    throw new Mistake(other, 'http-half-tls', 'TLS of vipd_http needs both cert and key')
  return { cert: pathOf(cert), key: pathOf(key), clientCa: fileOf(clientCa) }
}

const fileOf = (word: Word | undefined): string | null => (word === undefined ? null : pathOf(word))

function pathOf(word: Word): string {
  if (word.text.startsWith('/')) return word.text
  throw new Mistake(word, 'bad-path', `${word.text} is not an absolute path`)
}
