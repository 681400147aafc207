/** The pauses between adverts as metrics want them: few bounds, that lie where the interval makes them worth knowing. */
import { type Us, usToMilliseconds } from '../../base/time.ts'
import { gapBucketFromUs } from '../../engine/gaps.ts'

/** Of the interval: one that is missed is a pause of two, and after three the peer takes over. */
const multiples = [0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3]

type UpTo = { readonly untilMs: number | null; readonly count: number }

/**
 * How many pauses were at most so long, for each bound: the edges of the engine's buckets next above the multiples, so that
 * every count is exact. `histogram`: the engine's counts by bucket.
 */
export function gapsUpTo(histogram: readonly number[], intervalUs: Us): readonly UpTo[] {
  const edges = multiples.map((multiple) => edgeFrom(multiple * intervalUs, histogram.length))
  const sumBelow = (edge: number): number =>
    histogram.slice(0, edge).reduce((sum, count) => sum + count, 0)
  return [
    ...[...new Set(edges)].map((edge) => ({
      untilMs: usToMilliseconds(gapBucketFromUs(edge)),
      count: sumBelow(edge),
    })),
    { untilMs: null, count: sumBelow(histogram.length) },
  ]
}

/** The first bucket, after the first one, that begins at that length or above it. */
function edgeFrom(lengthUs: number, buckets: number): number {
  let edge = 1
  while (edge < buckets - 1 && gapBucketFromUs(edge) < lengthUs) edge += 1
  return edge
}
