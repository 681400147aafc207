/** What the collector is asked for, and what it answers, a line of JSON each. */
import type { LanguageOptions } from '../../config/language/tree-types.ts'
import type { ConfigFact, HostFact, Unseen } from '../facts.ts'

export type HostRequest = {
  readonly kind: 'host'
  /** Whose interfaces and rules are looked at; null: those of the caller. */
  readonly namespace: string | null
  /** Of the daemon that answered. */
  readonly pid: number | null
  /** Each is sent one segment of TCP, to see whether its host lives. */
  readonly neighbours: readonly string[]
  /** Whether the clock matters. */
  readonly clock: boolean
}

export type Request =
  | { readonly kind: 'config'; readonly path: string; readonly language: LanguageOptions }
  | HostRequest

export type Answer =
  | { readonly config: ConfigFact }
  | { readonly host: Partial<HostFact> }
  | { readonly unseen: Unseen }
