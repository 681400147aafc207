/** `garp_group` while it is read. */
import type { Us } from '../../base/time.ts'

export type GarpGroupDraft = {
  /** null: not written. */
  arpIntervalUs: Us | null
  naIntervalUs: Us | null
  readonly interfaces: string[]
}

export const garpGroupDraft = (): GarpGroupDraft => ({
  arpIntervalUs: null,
  naIntervalUs: null,
  interfaces: [],
})
