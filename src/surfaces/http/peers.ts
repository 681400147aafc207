/**
 * What the peers say of themselves, asked for while there is a reader: once a second, and at once when something has moved
 * here.
 */
import { isDeepStrictEqual } from 'node:util'
import { textOf } from '../../base/errors.ts'
import type { HttpPeer } from '../../config/http.ts'
import {
  counterparts,
  differences,
  type Finding,
  leadFindings,
  type Pair,
  type Summary,
  summaryOf,
} from '../../report/pair.ts'
import type { Status } from '../../report/status.ts'
import { PeerClient } from './peer-client.ts'

/** A peer that is asked less often than it takes to hear of it is never up to date. */
const keptMs = 1_500

type Peer = {
  readonly config: HttpPeer
  readonly client: PeerClient
  summary: Summary | null
  /** Monotonic milliseconds. */
  answeredAt: number
  askedAt: number
  /** null: the last question was answered, or none has been asked yet. */
  why: string | null
  asking: Promise<void> | null
}

export class Peers {
  #peers: readonly Peer[] = []

  get some(): boolean {
    return this.#peers.length > 0
  }

  follow(configs: readonly HttpPeer[]): void {
    const kept = this.#peers.filter(({ config }) =>
      configs.some((it) => isDeepStrictEqual(it, config)),
    )
    for (const { client } of this.#peers.filter((peer) => !kept.includes(peer))) client.close()
    this.#peers = configs.map(
      (config) =>
        kept.find((peer) => isDeepStrictEqual(peer.config, config)) ?? {
          ...{ config, client: new PeerClient(config), summary: null, why: null, asking: null },
          ...{ answeredAt: 0, askedAt: Number.NEGATIVE_INFINITY },
        },
    )
  }

  close(): void {
    this.follow([])
  }

  /** Resolves, in bounded time, when each has answered or has not. `within`: of an answer that will do. */
  async ask(within = 0): Promise<void> {
    const now = performance.now()
    await Promise.all(
      this.#peers.map((peer) => (now - peer.askedAt <= within ? peer.asking : this.#askOne(peer))),
    )
  }

  /** For a client that asks once: what was learned just now is good enough. */
  fresh(): Promise<void> {
    return this.ask(keptMs)
  }

  #askOne(peer: Peer): Promise<void> {
    if (peer.asking !== null) return peer.asking
    peer.askedAt = performance.now()
    peer.asking = peer.client.ask().then(
      (summary) => {
        Object.assign(peer, { summary, answeredAt: performance.now(), why: null, asking: null })
      },
      (error) => {
        Object.assign(peer, { why: textOf(error), asking: null })
      },
    )
    return peer.asking
  }

  /** Held against what this host says of itself. */
  pair(status: Status): Pair {
    const now = performance.now()
    const here = summaryOf(status)
    const answering = this.#peers.flatMap(({ summary, why }) =>
      summary === null || why !== null || isSelf(here, summary) ? [] : [summary],
    )
    return {
      schema: 1,
      peers: this.#peers.map(({ config, summary, answeredAt, why }) => ({
        url: config.url,
        summary,
        counterparts: summary === null ? [] : counterparts(here, summary),
        answeredAgoMs: summary === null ? null : now - answeredAt,
        why: summary === null && why === null ? 'it has not answered yet' : why,
      })),
      findings: [
        ...leadFindings(here, answering, answering.length === this.#peers.length),
        ...this.#peers.flatMap((peer) => silence(peer, now)),
        ...this.#peers.flatMap(({ summary, why }) =>
          summary === null || why !== null ? [] : differences(here, summary),
        ),
      ],
    }
  }
}

const isSelf = (here: Summary, there: Summary): boolean =>
  here.host === there.host && here.pid === there.pid

function silence({ config, summary, why, answeredAt }: Peer, now: number): readonly Finding[] {
  if (why === null) return []
  const name = summary === null ? config.url : `${summary.host} (${config.url})`
  const since =
    summary === null ? '' : ` for ${Math.max(1, Math.round((now - answeredAt) / 1_000))} s`
  return [
    {
      ...{ code: 'peer-silent', severity: 'warning', instance: null },
      text: `${name} does not tell its side${since}: ${why}. That is about its HTTP; whether its adverts are heard each instance says.`,
    },
  ]
}
