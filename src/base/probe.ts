/** What an in-process probe asks, as plain data: made from the configuration, carried out by a check worker. */

export type Endpoint =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** A certificate chain is always verified, by the system's authorities or by `ca`. */
export type TlsWanted = {
  /** Who we are, where the server asks: PEM. */
  readonly client: { readonly certificate: string; readonly key: string } | null
  /** The name that is asked for and verified. */
  readonly serverName: string
  /** PEM; null: the system's. */
  readonly ca: string | null
  /** The certificate must be valid for so many more days. */
  readonly days: number
}

/** How an answer is looked at. */
export type Expectation =
  /** These octets occur. */
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  /** A JavaScript regular expression matches, over the answer as UTF-8. */
  | { readonly kind: 'pattern'; readonly source: string }
  /** The same for the first line: a whole line that does not match is a wrong answer at once. */
  | { readonly kind: 'line'; readonly source: string }

export type Turn =
  | { readonly kind: 'send'; readonly octets: Uint8Array }
  | { readonly kind: 'expect'; readonly what: Expectation }

/** Connects, then says and hears the turns in order. Without turns a connection is enough. */
export type DialogueProbe = {
  readonly kind: 'dialogue'
  readonly to: Endpoint
  readonly tls: TlsWanted | null
  readonly turns: readonly Turn[]
}

export type HttpProbe = {
  readonly kind: 'http'
  readonly method: string
  readonly host: string
  readonly port: number
  /** With query. */
  readonly path: string
  /** What the Host field says. */
  readonly hostField: string
  readonly tls: TlsWanted | null
  /** Inclusive ranges; one of them must hold. */
  readonly status: readonly { readonly from: number; readonly to: number }[]
  /** Fields of the answer, by lower-case name, and a pattern for each value. */
  readonly fields: readonly { readonly name: string; readonly source: string }[]
  /** Looked for in at most the first mebibyte; null: no pattern. Without both the body is not read. */
  readonly body: string | null
  /** SHA-256 of the whole body, lower-case hexadecimal; null: any. */
  readonly digest: string | null
}

/** One datagram there, and one back. */
export type UdpProbe = {
  readonly kind: 'udp'
  readonly host: string
  readonly port: number
  readonly octets: Uint8Array
  /** null: any answer. */
  readonly expect: Expectation | null
}

/** Types of records that a query can ask for, with their numbers (RFC 1035, 3596, 2782). */
export const recordTypes = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
} as const
export type RecordType = keyof typeof recordTypes

/** Response codes by their names (RFC 1035 section 4.1.1, RFC 2136). */
export const responseCodes = [
  ...['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'],
  ...['YXDOMAIN', 'YXRRSET', 'NXRRSET', 'NOTAUTH', 'NOTZONE'],
] as readonly string[]

export type DnsProbe = {
  readonly kind: 'dns'
  readonly name: string
  readonly type: RecordType
  readonly server: string
  readonly port: number
  /** As in `responseCodes`. */
  readonly rcode: string
  /** A pattern that one record of the answer matches; null: with NOERROR any record of the type. */
  readonly answer: string | null
}

/** An echo request there, an echo reply back. */
export type IcmpProbe = { readonly kind: 'icmp'; readonly host: string; readonly octets: number }

/** A login is tried: a database that refuses the user has answered. */
export type PostgresProbe = {
  readonly kind: 'postgres'
  readonly to: Endpoint
  readonly user: string
  readonly database: string
}
export type MysqlProbe = { readonly kind: 'mysql'; readonly to: Endpoint; readonly user: string }

/** HAProxy's runtime API: is this server up, or (null) the backend as a whole. */
export type HaproxyProbe = {
  readonly kind: 'haproxy'
  readonly to: Endpoint
  readonly backend: string
  readonly server: string | null
}

export type Probe =
  | DialogueProbe
  | HttpProbe
  | UdpProbe
  | DnsProbe
  | IcmpProbe
  | PostgresProbe
  | MysqlProbe
  | HaproxyProbe

/** Does a connection open: what `</dev/tcp/HOST/PORT` asks. */
export const connectsTo = (to: Endpoint): DialogueProbe => ({
  kind: 'dialogue',
  to,
  tls: null,
  turns: [],
})
