/** `vrrp_track_process` and `track_file` while they are read; grammar/trackers.ts makes checks of them. */
import type { ProcessesWanted } from '../../base/command.ts'
import type { Us } from '../../base/time.ts'
import type { InitialValue, Tracked } from '../types.ts'
import { Written } from './written.ts'

/** One keyword of `vrrp_track_process` each. */
export type ProcessOptions = {
  /** null: not written. */
  readonly match: ProcessesWanted['match'] | null
  readonly full: boolean
  readonly gainDelayUs: Us
  readonly lossDelayUs: Us
}

export type ProcessDraft = {
  readonly options: Written<ProcessOptions>
  words: readonly string[] | null
  weight: number
  reverse: boolean
  /** null: not written, 1 unless quorum_max is 0. */
  least: number | null
  most: number
}

/** One keyword of `track_file` each. */
export type FileOptions = { readonly path: string | null }

export type FileDraft = {
  readonly options: Written<FileOptions>
  weight: number
  reverse: boolean
  initialValue: InitialValue | null
}

export const processDraft = (): ProcessDraft => ({
  options: new Written(),
  words: null,
  weight: 0,
  reverse: false,
  least: null,
  most: Number.POSITIVE_INFINITY,
})

export const fileDraft = (): FileDraft => ({
  options: new Written(),
  weight: 1,
  reverse: false,
  initialValue: null,
})

/** How a check of that kind is called in the pool, in `status` and in the log. */
export const checkName = (kind: Tracked['kind'], name: string): string =>
  kind === 'script' ? name : `${kind}/${name}`
