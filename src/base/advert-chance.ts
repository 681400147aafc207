/** How often lost adverts alone make a backup take over from a living master, and how much has to be seen to say so. */

/** Nothing lost in so many leaves open up to 1 %, at 95 % (the rule of three). */
export const fewestSeen = 300

export const enough = (seen: number): boolean => seen >= fewestSeen

/** False take-overs per second by independent loss: (1/a) · p^N · (1 − p). */
export function falseTakeOvers(
  { advertMs, downTimerAdverts }: { readonly advertMs: number; readonly downTimerAdverts: number },
  loss: number,
): number {
  return (1_000 / advertMs) * loss ** downTimerAdverts * (1 - loss)
}
