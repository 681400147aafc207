/** `vipd_http`: where the daemon answers HTTP, and which clients. */

export type HttpAddress =
  | {
      readonly kind: 'unix'
      readonly path: string
      readonly mode: number
      /** null: the daemon's own. */
      readonly gid: number | null
    }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

export type HttpListener = {
  readonly address: HttpAddress
  /** Files; null: every client that can connect may read. */
  readonly readToken: string | null
  /** null: nothing can be ordered there. */
  readonly actionToken: string | null
  readonly tls: {
    readonly cert: string
    readonly key: string
    /** Of the clients; null: they show none. */
    readonly clientCa: string | null
  } | null
  /** Names that a client may give to the host, besides the address itself. */
  readonly names: readonly string[]
}

/** `vipd_peer_http`: where a peer answers, to be asked for its side. */
export type HttpPeer = {
  /** Without a path, a name of a user, or a query: 'https://lb2.example.org:9112'. */
  readonly url: string
  /** Files; null: none is sent. */
  readonly token: string | null
  /** null: what this host trusts. */
  readonly ca: string | null
}

/** All that the thread is told of the configuration. */
export type HttpConfig = {
  readonly listeners: readonly HttpListener[]
  readonly peers: readonly HttpPeer[]
}

/** Address and options as they are written, but for the keyword. */
export const httpAddressText = (address: HttpAddress): string => {
  if (address.kind === 'unix') return `unix:${address.path}`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${host}:${address.port}`
}

/** Only processes of this host can connect. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
