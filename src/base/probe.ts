/** What an in-process probe asks, as plain data: made from the configuration, carried out by a check worker. */

export type Endpoint =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** A certificate chain is always verified, by the system's authorities or by `ca`. */
export type TlsWanted = {
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
  /** Looked for in at most the first mebibyte; null: the body is not read. */
  readonly body: string | null
}

export type Probe = DialogueProbe | HttpProbe

/** Does a connection open: what `</dev/tcp/HOST/PORT` asks. */
export const connectsTo = (to: Endpoint): DialogueProbe => ({
  kind: 'dialogue',
  to,
  tls: null,
  turns: [],
})
