/** The engine's histogram of the pauses between adverts (native/engine/gaps.h): where its buckets begin. */
import { type Us, us } from '../base/time.ts'

/** Four buckets for each doubling, from 2^10 µs on; the first counts what is shorter too, the last what is longer. */
export const gapBucketFromUs = (i: number): Us =>
  us(2 ** (10 + Math.floor(i / 4)) * (1 + (i % 4) / 4))
