/**
 * The outage of a client whose master is cut off, at advert_int 1: vipd that takes over by BFD, vipd and keepalived
 * without BFD, and keepalived with what it can do with it, a weight that rises when the session with the peer is lost.
 * All pairs stand beside each other; one after the other is struck, round by round.
 */

import { summarise } from '../src/base/statistics.ts'
import { type Contender, keepalivedContender, vipdContender } from '../src/bench/contender.ts'
import { Pair } from '../src/bench/pair.ts'
import { strikeSettled } from '../src/bench/trial.ts'
import type { Host } from '../src/lab/host.ts'
import { until } from '../src/lab/wait.ts'

const advertInt = 1
const addresses: Readonly<Record<string, string>> = { better: '172.16.80.2', heir: '172.16.80.3' }

/** A session between the two, every so many milliseconds, and the line of the heir that tracks it. */
function withBfd(of: Contender, name: string, everyMs: number, line: string): Contender {
  const configure = (host: Host, text: string): string => {
    const peer = host.name === 'better' ? 'heir' : 'better'
    const session = `bfd_instance peer {
  neighbor_ip ${addresses[peer]}
  source_ip ${addresses[host.name]}
  min_rx ${everyMs}
  min_tx ${everyMs}
  multiplier 3
}
`
    const tracked = text.replace(/\}\s*$/, `  track_bfd {\n    ${line}\n  }\n}\n`)
    return session + (host.name === 'heir' ? tracked : text)
  }
  return { name, start: (host, text) => of.start(host, configure(host, text)) }
}

/** The heir is worth more once the session is lost. */
const withWeight = (of: Contender): Contender =>
  withBfd(of, `${of.name}, track_bfd 50 ms × 3`, 50, 'peer weight 60 reverse')

function contenders(): readonly Contender[] {
  const keepalived = keepalivedContender('keepalived')
  return [
    withBfd(vipdContender, 'vipd, takeover 50 ms × 3', 50, 'peer takeover'),
    withBfd(vipdContender, 'vipd, takeover 100 ms × 3', 100, 'peer takeover'),
    vipdContender,
    ...(keepalived === null ? [] : [keepalived, withWeight(keepalived)]),
  ]
}

/** The heir's session is up, as far as there is one: both ends have heard each other for some seconds. */
const settle = (pairs: readonly Pair[]): Promise<unknown> =>
  Promise.all(pairs.map((pair) => pair.settled()))

/** Rounds of all; a table of milliseconds. */
export async function outages(rounds: number): Promise<string> {
  const pairs: Pair[] = []
  const seen = new Map<string, (number | null)[]>()
  try {
    for (const contender of contenders()) {
      pairs.push(await Pair.open(contender, advertInt))
      seen.set(contender.name, [])
    }
    await until('all pairs lead', 60_000, async () => (await settle(pairs)) !== undefined)
    for (let round = 1; round <= rounds; round++) {
      await settle(pairs)
      for (const pair of pairs) {
        const { struck } = await strikeSettled(pair, 'cut')
        seen.get(pair.contender.name)?.push(struck === 'early' ? null : struck.outageMs)
        const outage = struck === 'early' ? 'early' : struck.outageMs?.toFixed(1)
        process.stderr.write(`${round} of ${rounds}: ${pair.contender.name}: ${outage}\n`)
      }
    }
  } finally {
    for (const pair of pairs) await pair.close()
  }
  return table(seen)
}

function table(seen: ReadonlyMap<string, readonly (number | null)[]>): string {
  const lines = [...seen].map(([name, all]) => {
    const values = all.filter((each): each is number => each !== null)
    const { n = 0, min = 0, p50 = 0, max = 0 } = summarise(values) ?? {}
    const p90 = values.toSorted((a, b) => a - b)[Math.ceil(0.9 * n) - 1] ?? 0
    const ms = [min, p50, p90, max].map((each) => each.toFixed(0))
    return `| ${[name, n, ...ms, all.length - n].join(' | ')} |`
  })
  return `${[
    '| daemon | n | min (ms) | median | p90 | max | not measured |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n')}\n`
}
