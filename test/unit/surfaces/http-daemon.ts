/** The HTTP service with a daemon that a test plays. */
import type { HttpListener, HttpPeer } from '../../../src/config/http.ts'
import type { LatestQuery } from '../../../src/report/kept.ts'
import type { Recent, RecentNames } from '../../../src/report/recent.ts'
import type { FromHttp, Outcome } from '../../../src/surfaces/http/messages.ts'
import { HttpService } from '../../../src/surfaces/http/service.ts'
import { aStatus } from '../cli/a-status.ts'

const loopDelay = { median: 0.0001, p99: 0.002, max: 0.004 }

/** Answers for the daemon; `silent`: not at all. */
export async function serving(
  listeners: readonly HttpListener[],
  act: (daemon: Daemon) => Promise<void>,
  peers: readonly HttpPeer[] = [],
): Promise<void> {
  const daemon = new Daemon()
  daemon.service.take({ kind: 'listen', config: { listeners, peers } })
  const beat = setInterval(() => daemon.ping(), 1_000)
  await daemon.settled()
  try {
    await act(daemon)
  } finally {
    clearInterval(beat)
    await daemon.service.close()
  }
}

export class Daemon {
  readonly service = new HttpService((message) => this.#hear(message))
  readonly said: string[] = []
  readonly orders: Extract<FromHttp, { kind: 'order' }>['order'][] = []
  /** What was asked about lately. */
  readonly asked: RecentNames[] = []
  unserved: readonly string[] = []
  wants = 0
  silent = false
  outcome: Outcome = { ok: true, result: 'done' }
  status = aStatus
  recent: Recent = { schema: 1, instances: [], checks: [] }
  /** What is asked of the history's thread. */
  readonly queries: LatestQuery[] = []
  kept: Outcome = { ok: true, result: { directory: null, lines: new Uint8Array(), next: null } }
  #number = 0
  #settled: () => void = () => undefined

  /** All that shall be served is, or cannot be. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled = resolve
    })
  }

  /** As its thread is asked by the daemon each second whether it lives. */
  ping(): void {
    if (!this.silent) this.service.take({ kind: 'ping' })
  }

  tell(): void {
    const { instances, ...rest } = this.status
    const number = ++this.#number
    for (const it of instances) this.service.take({ kind: 'instances', number, some: [it] })
    this.service.take({ kind: 'loop-delay', delay: loopDelay })
    this.service.take({ kind: 'status', number, rest })
  }

  #hear(message: FromHttp): void {
    if (message.kind === 'say') this.said.push(message.text)
    if (message.kind === 'want') {
      this.wants += 1
      if (!this.silent) setImmediate(() => this.tell())
    }
    if (message.kind === 'unserved') {
      this.unserved = message.reasons
      this.#settled()
    }
    if (message.kind === 'recent') {
      this.asked.push(message.names)
      const outcome = { ok: true, result: this.recent } as const
      const done = { kind: 'done', id: message.id, outcome } as const
      setImmediate(() => this.service.take(done))
    }
    if (message.kind === 'kept') {
      this.queries.push(message.query)
      const done = { kind: 'done', id: message.id, outcome: this.kept } as const
      setImmediate(() => this.service.take(done))
    }
    if (message.kind === 'order') {
      this.orders.push(message.order)
      const done = { kind: 'done', id: message.id, outcome: this.outcome } as const
      setImmediate(() => this.service.take(done))
    }
  }
}
