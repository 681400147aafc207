/**
 * Who may ask. A page of another site must not reach a daemon through the operator's browser: the host's name and the
 * origin are held against the names that this address has (DNS rebinding), and what changes something needs the
 * token to act in a header that no form of another page can set.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'

export type Right = 'none' | 'read' | 'act'

export type Tokens = {
  /** null: every client that can connect may read. */
  readonly read: string | null
  /** null: no client may act. */
  readonly act: string | null
}

export type Asked = {
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly authorization: string | undefined
  readonly cookie: string | undefined
}

/** Behind TLS a browser must not send it anywhere else; its name says so there. */
export const cookieName = 'vipd_session'

const sessionsMax = 256
const sessionMs = 12 * 3_600_000

/** What a browser was given for a token, so that the token itself is kept by no page. */
export class Sessions {
  readonly #sessions = new Map<string, { readonly right: Right; readonly until: number }>()

  open(right: Right, now = Date.now()): string {
    const [oldest] = this.#sessions.keys()
    if (this.#sessions.size >= sessionsMax && oldest !== undefined) this.#sessions.delete(oldest)
    const id = randomBytes(24).toString('base64url')
    this.#sessions.set(id, { right, until: now + sessionMs })
    return id
  }

  rightOf(id: string, now = Date.now()): Right {
    const session = this.#sessions.get(id)
    if (session === undefined) return 'none'
    if (session.until > now) return session.right
    this.#sessions.delete(id)
    return 'none'
  }

  close(): void {
    this.#sessions.clear()
  }
}

/** What is asked for may be done, as far as the tokens go. */
export function rightOf(
  { authorization, cookie }: Asked,
  tokens: Tokens,
  sessions: Sessions,
): Right {
  const open: Right = tokens.read === null ? 'read' : 'none'
  const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (bearer !== undefined) return rightOfToken(bearer, tokens)
  const id = new RegExp(`(?:^|;\\s*)${cookieName}=([\\w-]+)`).exec(cookie ?? '')?.[1]
  const session = id === undefined ? 'none' : sessions.rightOf(id)
  return session === 'none' ? open : session
}

/** A token that is given and wrong gives nothing, also where none is needed. */
export function rightOfToken(token: string, { read, act }: Tokens): Right {
  // Both are compared, whatever the first one says.
  const mayAct = act !== null && equal(token, act)
  const mayRead = read !== null && equal(token, read)
  if (mayAct) return 'act'
  return mayRead ? 'read' : 'none'
}

/** In a time that tells nothing of the content or the length. */
function equal(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}

/**
 * Why the host or the origin of a request is not ours; null: it is. A literal address cannot be rebound; a name must be
 * one of `names`, and localhost always is. A request without an origin comes from no page.
 */
export function foreign({ host, origin }: Asked, names: ReadonlySet<string>): string | null {
  if (host === undefined) return 'a request needs the header Host'
  const name = hostName(host)
  if (name === null || !(isLiteral(name) || name === 'localhost' || names.has(name)))
    return `no address here is called ${JSON.stringify(host)}: add it by the option name of vipd_http`
  if (origin === undefined) return null
  const at = /^https?:\/\/(.+)$/.exec(origin)?.[1]
  return at?.toLowerCase() === host.toLowerCase()
    ? null
    : `pages of ${JSON.stringify(origin)} may not ask here`
}

function hostName(host: string): string | null {
  const [, six, name] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d+)?$/.exec(host.trim()) ?? []
  return (six ?? name)?.toLowerCase() ?? null
}

const isLiteral = (name: string): boolean => isIP(name) !== 0
