/**
 * Which part of which run caught each mutant the last time: `catchers.json`, kept in the repository. What caught it is tried
 * first, then what catches most of the others; almost every mutant is settled by the first run, which takes a second.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPart, type Part } from '../simulation.ts'
import type { Mutant } from './mutant.ts'

export type Catcher = { readonly seed: number; readonly part: Part }

/** Beside the last one of the mutant itself. */
const likelyMax = 10

const same = (a: Catcher, b: Catcher): boolean => a.seed === b.seed && a.part === b.part

export class Catchers {
  readonly #file: string
  readonly #known: Map<string, Catcher>

  /** Throws Error when the file is not what this class writes. */
  constructor(root: string) {
    this.#file = join(root, 'test/sim/mutants/catchers.json')
    const read: unknown = JSON.parse(readFileSync(this.#file, 'utf8'))
    this.#known = new Map(Object.entries(read ?? {}).map(([name, it]) => [name, catcherOf(it)]))
  }

  get names(): readonly string[] {
    return [...this.#known.keys()]
  }

  has(name: string): boolean {
    return this.#known.has(name)
  }

  /** The likeliest first. */
  tries(mutant: Mutant): readonly Catcher[] {
    const last = this.#known.get(mutant.name)
    const likely = this.#byUse().filter((it) => last === undefined || !same(it, last))
    return [...(last === undefined ? [] : [last]), ...likely.slice(0, likelyMax)]
  }

  /** Written at once: a run that is stopped has not been for nothing. */
  learn(name: string, catcher: Catcher): void {
    const last = this.#known.get(name)
    if (last !== undefined && same(last, catcher)) return
    this.#known.set(name, catcher)
    const sorted = [...this.#known].sort(([a], [b]) => (a < b ? -1 : 1))
    writeFileSync(this.#file, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`)
  }

  #byUse(): readonly Catcher[] {
    const uses = new Map<string, { readonly catcher: Catcher; count: number }>()
    for (const catcher of this.#known.values()) {
      const key = `${catcher.seed} ${catcher.part}`
      const use = uses.get(key) ?? { catcher, count: 0 }
      use.count += 1
      uses.set(key, use)
    }
    return [...uses.values()].sort((a, b) => b.count - a.count).map(({ catcher }) => catcher)
  }
}

function catcherOf(value: unknown): Catcher {
  const { seed, part } = (value ?? {}) as { readonly seed?: unknown; readonly part?: unknown }
  if (typeof seed !== 'number' || !isPart(part))
    throw new Error(`no catcher: ${JSON.stringify(value)}`)
  return { seed, part }
}
