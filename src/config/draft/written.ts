/** What has been written of the plain options of one type, and where. */
import type { Place } from '../types.ts'

export type Written<R> = {
  readonly values: { -readonly [F in keyof R]?: R[F] }
  /** Of the last line that set it. */
  readonly places: { -readonly [F in keyof R]?: Place }
}

export const nothingWritten = <R>(): Written<R> => ({ values: {}, places: {} })
