/** Opens what a probe talks through: TCP or a Unix socket, with TLS or without. No name goes through getaddrinfo. */
import { connect, isIP, type Socket } from 'node:net'
import { connect as secure, type TLSSocket } from 'node:tls'
import type { Endpoint, TlsWanted } from '../../base/probe.ts'
import { resolveHost } from '../../programs/resolve.ts'
import { ProbeFailure } from '../verdict/probe-failure.ts'

const millisecondsPerDay = 86_400_000

/** What a probe has behind it: the name is resolved, connected, TLS stands, the first octet of the answer is there. */
export type Phase = 'resolve' | 'connect' | 'tls' | 'first byte'

/** What a probe is given for one run. */
export type ProbeContext = {
  readonly timeoutMs: number
  /** Whatever is opened is shown here at once, with how it is closed, also while it is connecting. */
  readonly opened: (close: () => void) => void
  readonly passed: (phase: Phase) => void
}

/** Resolves with the open connection, trying the addresses of the host in turn. Rejects with a ProbeFailure. */
export async function open(
  to: Endpoint,
  tls: TlsWanted | null,
  context: ProbeContext,
): Promise<Socket> {
  const attempt = (place: Place) =>
    tls === null ? openPlain(place, context) : openSecure(place, tls, context)
  if (to.kind === 'unix') return attempt({ path: to.path })
  let why = new ProbeFailure(`unknown host ${to.host}`)
  const addresses = await resolveHost(to.host, context.timeoutMs)
  context.passed('resolve')
  for (const host of addresses) {
    try {
      return await attempt({ host, port: to.port })
    } catch (error) {
      if (!(error instanceof ProbeFailure)) throw error
      why = error
    }
  }
  throw why
}

/** `host` is an address. */
type Place = { readonly path: string } | { readonly host: string; readonly port: number }

function openPlain(place: Place, { opened, passed }: ProbeContext): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(place)
    opened(() => end(socket))
    socket.once('connect', () => {
      passed('connect')
      resolve(socket)
    })
    socket.once('error', (error) => reject(new ProbeFailure(describeFailure(error))))
  })
}

/** One socket from the start: a TLS socket put on top of another crashes Node 20 when both are destroyed. */
function openSecure(
  place: Place,
  { serverName, ca, days, client }: TlsWanted,
  { opened, passed }: ProbeContext,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let about = ''
    // An address is verified as well, but never asked for by name (RFC 6066 section 3).
    const name = isIP(serverName) === 0 ? { servername: serverName } : {}
    const ours = client === null ? {} : { cert: client.certificate, key: client.key }
    const socket = secure({ ...place, ...name, ...ours, ...(ca === null ? {} : { ca }) })
    opened(() => end(socket))
    socket.once('connect', () => {
      about = 'TLS: '
      passed('connect')
    })
    socket.once('secureConnect', () => {
      passed('tls')
      const left = daysLeft(socket)
      if (left >= days) resolve(socket)
      else reject(new ProbeFailure(`certificate expires in ${Math.max(0, Math.floor(left))} days`))
    })
    socket.once('error', (error) => reject(new ProbeFailure(about + describeFailure(error))))
    socket.once('close', () => reject(new ProbeFailure('TLS: the connection was closed')))
  })
}

/** What is destroyed may still fail. */
function end(socket: Socket): void {
  socket.on('error', () => undefined)
  socket.destroy()
}

const daysLeft = (socket: TLSSocket): number =>
  (Date.parse(socket.getPeerCertificate().valid_to) - Date.now()) / millisecondsPerDay

const failures: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  ENOENT: 'no such socket',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EMFILE: 'out of file descriptors',
  ENFILE: 'out of file descriptors',
  EADDRNOTAVAIL: 'no local address or port left',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in the chain',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate of an unknown authority',
}

/** The words for a failed connection; the system's own code where it is a rare one. */
export const describeFailure = (error: Error): string =>
  describeCode('code' in error ? String(error.code) : error.message)

/** The same for the code alone. */
export function describeCode(code: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'certificate is for another name'
  if (code.startsWith('ERR_SSL_')) return code.slice(8).toLowerCase().replaceAll('_', ' ')
  if (code.startsWith('HPE_')) return 'not an HTTP answer'
  return failures[code] ?? code
}
