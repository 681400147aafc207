/** The seeds that `npm test` runs: always the same, so that a failure is a change and not bad luck. */
import type { Profile } from './scenario.ts'
import { profileOf } from './simulation.ts'

export function seedsOf(profile: Profile, count: number): readonly number[] {
  const seeds: number[] = []
  for (let seed = 0; seeds.length < count; seed++) if (profileOf(seed) === profile) seeds.push(seed)
  return seeds
}
