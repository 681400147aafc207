/**
 * What weighted trackers do to a priority, as in keepalived: the rules that the election applies and that `vipd check`
 * explains.
 */

/** The address owner's (RFC 9568 section 6.1): no weight changes it. */
export const priorityOwner = 255
export const priorityMin = 1
export const priorityMax = 254

/** A sum of weights as a priority that is no owner's. */
export const withinPriorities = (sum: number): number =>
  Math.min(Math.max(sum, priorityMin), priorityMax)

/** A weight above 0 counts while the tracked object is good, one below 0 while it is bad. */
export const countsWhile = (weight: number): 'good' | 'bad' => (weight > 0 ? 'good' : 'bad')

/** `reverse` turns the sign, and not when the weight counts. */
export const signedWeight = ({
  weight,
  reverse,
}: {
  readonly weight: number
  readonly reverse: boolean
}): number => (reverse ? -weight : weight)

/** What a tracked file adds at most, whatever it holds; `least`, and less, is a fault. */
export const fileBounds = { least: -254, most: 253 } as const
