/**
 * Failover latency against advert_int, for several daemons by turns: trial by trial, so that whatever else the machine
 * does meets all of them alike.
 */
import { type Cause, causes, strikes } from './causes.ts'
import type { Contender } from './contender.ts'
import { Pair } from './pair.ts'
import { type Outcome, strikeOnce, type Trial } from './trial.ts'

export type FailoverOptions = {
  readonly contenders: readonly Contender[]
  readonly causes: readonly Cause[]
  /** Seconds. */
  readonly advertInts: readonly number[]
  /** Trials of each case; a quarter of it, at least five, where an interval of 0.5 s or more makes them long. */
  readonly n: number
  readonly progress: (line: string) => void
}

export type Case = {
  readonly daemon: string
  readonly cause: Cause
  readonly advertInt: number
  readonly trials: readonly Trial[]
  /** Trials in which the heir took over before the strike: not counted, but a false failover. */
  readonly early: number
}

type Struck = Exclude<Cause, 'return'>
type Book = Map<string, { trials: Trial[]; early: number }>

const longAdvertInt = 0.5
const trialsOf = (n: number, advertInt: number): number =>
  advertInt >= longAdvertInt ? Math.min(n, Math.max(5, Math.ceil(n / 4))) : n

/** The cases of one interval after the other: what has been measured is not lost when something fails later. */
export async function* benchFailover(options: FailoverOptions): AsyncGenerator<readonly Case[]> {
  for (const advertInt of options.advertInts) yield await atInterval(advertInt, options)
}

async function atInterval(advertInt: number, options: FailoverOptions): Promise<Case[]> {
  const { contenders, progress } = options
  const n = trialsOf(options.n, advertInt)
  const pairs: Pair[] = []
  const book: Book = new Map()
  try {
    for (const contender of contenders) pairs.push(await Pair.open(contender, advertInt))
    for (let trial = 1; trial <= n; trial++)
      for (const cause of struckBy(options.causes))
        for (const pair of pairs) {
          const { name } = pair.contender
          progress(`advert_int ${advertInt}: ${causes[cause]}, ${name}, ${trial} of ${n}`)
          const { struck, returned } = await strikeOnce(pair, cause)
          note(book, name, cause, struck)
          if (returned !== null) note(book, name, 'return', returned)
        }
  } finally {
    await Promise.all(pairs.map((pair) => pair.close()))
  }
  return options.causes.flatMap((cause) =>
    contenders.map(({ name }) => ({
      daemon: name,
      cause,
      advertInt,
      ...(book.get(key(name, cause)) ?? { trials: [], early: 0 }),
    })),
  )
}

/** A return is seen at the end of each cut. */
const struckBy = (wanted: readonly Cause[]): readonly Struck[] =>
  (Object.keys(strikes) as Struck[]).filter(
    (cause) => wanted.includes(cause) || (cause === 'cut' && wanted.includes('return')),
  )

const key = (daemon: string, cause: Cause): string => `${daemon}/${cause}`

function note(book: Book, daemon: string, cause: Cause, outcome: Outcome): void {
  const entry = book.get(key(daemon, cause)) ?? { trials: [], early: 0 }
  if (outcome === 'early') entry.early++
  else entry.trials.push(outcome)
  book.set(key(daemon, cause), entry)
}
