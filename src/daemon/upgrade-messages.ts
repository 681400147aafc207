/** What the two processes of an upgrade say to each other. */
import type { RuleNumber } from '../config/rule-numbers.ts'
import type { PassedDelay } from '../kernel/link-delays.ts'
import type { PassedState } from './upgrade-state.ts'

/** Another number for each change of these messages that an older or newer process would misunderstand. */
export const exchangeProtocol = 2

/** `known` and `delays`: what the second needs before it looks at the kernel; `rules`: numbers that the file does not say. */
export type FromFirst =
  | {
      readonly kind: 'hello'
      readonly protocol: number
      readonly version: string
      readonly pid: number
      readonly known: PassedState['ownership']
      readonly delays: readonly PassedDelay[]
      readonly rules: readonly RuleNumber[]
    }
  /** Numbered from 1. The next one takes its place: something has happened since. */
  | { readonly kind: 'state'; readonly attempt: number; readonly state: unknown }
  /** The slots are given; control, HTTP and history are free. */
  | { readonly kind: 'left' }

export type FromSecond =
  /** `reads`: versions of the state. */
  | {
      readonly kind: 'prepared'
      readonly protocol: number
      readonly version: string
      readonly reads: number
    }
  | { readonly kind: 'adopted'; readonly attempt: number }
  /** It ends. */
  | { readonly kind: 'refused'; readonly why: string }
  /** Everything is served again. */
  | { readonly kind: 'serving' }
