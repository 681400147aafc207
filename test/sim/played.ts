/** One part of a run: it goes through, or a rule is broken in it. */
import type { World } from './world.ts'

export type Broken = { readonly what: string; readonly trace: readonly string[] }

/** null: all was as it must be. `name`: stands before what was broken. */
export function played(name: string, { invariants }: World, play: () => void): Broken | null {
  try {
    play()
    return null
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { what: `${name}: ${what}`, trace: [...invariants.trace] }
  }
}
