/** `vrrp_track_process` and `track_file` while they are read; lower-trackers.ts makes checks of them. */
import type { ProcessesWanted } from '../../base/command.ts'
import { type Us, us } from '../../base/time.ts'
import type { InitialValue } from '../types.ts'

/** `vrrp_track_process`, while it is read. */
export type ProcessDraft = {
  words: readonly string[] | null
  match: ProcessesWanted['match'] | null
  full: boolean
  weight: number
  reverse: boolean
  /** null: not written, 1 unless quorum_max is 0. */
  least: number | null
  most: number
  gainDelayUs: Us
  lossDelayUs: Us
}

/** `track_file`, while it is read. */
export type FileDraft = {
  path: string | null
  weight: number
  reverse: boolean
  initialValue: InitialValue | null
}

export const processDraft = (): ProcessDraft => ({
  words: null,
  match: null,
  full: false,
  weight: 0,
  reverse: false,
  least: null,
  most: Number.POSITIVE_INFINITY,
  gainDelayUs: us(0),
  lossDelayUs: us(0),
})

export const fileDraft = (): FileDraft => ({
  path: null,
  weight: 1,
  reverse: false,
  initialValue: null,
})
