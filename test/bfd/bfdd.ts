/** FRR's bfdd (Debian's `frr`) with one session. */
import type { Child } from '../../src/lab/child.ts'
import type { Host } from '../../src/lab/host.ts'
import { until } from '../../src/lab/wait.ts'
import { askFrr, startFrr, startZebra } from '../frr/zebra.ts'
import { killed, type Pace, type Path, type Seen, type Speaker } from './speaker.ts'

type Shown = {
  readonly status: string
  readonly 'receive-interval': number
  readonly 'remote-transmit-interval': number
}

const soonMs = 20_000

export class Bfdd implements Speaker {
  readonly host: Host
  readonly #path: Path
  #pace: Pace
  #zebra: Child | null = null
  #child: Child | null = null

  constructor(host: Host, path: Path, pace: Pace) {
    this.host = host
    this.#path = path
    this.#pace = pace
  }

  async start(): Promise<void> {
    this.#zebra ??= await startZebra(this.host)
    const lines = ['log stdout', 'bfd', ` ${this.#peer()}`, ...this.#lines().map((it) => `  ${it}`)]
    this.#child = startFrr(this.host, 'bfdd', `${lines.join('\n')}\n`)
    await until('bfdd answers', soonMs, async () => (await this.seen()) !== null)
  }

  async seen(): Promise<Seen | null> {
    const shown = await askFrr(this.host, 'show bfd peers json')
    if (shown === null || !shown.trimStart().startsWith('[')) return null
    const [peer] = JSON.parse(shown) as readonly Shown[]
    if (peer === undefined) return null
    const awaitsMs = Math.max(peer['receive-interval'], peer['remote-transmit-interval'])
    const counters = await askFrr(this.host, 'show bfd peers counters json')
    const changes = [...(counters ?? '').matchAll(/"session-(?:up|down)": ?(\d+)/g)]
    const changed = changes.reduce((sum, [, count]) => sum + Number(count), 0)
    return { up: peer.status === 'up', awaitsMs, changed }
  }

  async change(pace: Pace): Promise<void> {
    this.#pace = pace
    await this.#configure(this.#lines())
  }

  switchOff(): Promise<void> {
    return this.#configure(['shutdown'])
  }

  switchOn(): Promise<void> {
    return this.#configure(['no shutdown'])
  }

  async stop(): Promise<void> {
    await this.#child?.stop(soonMs)
  }

  async kill(): Promise<void> {
    if (this.#child !== null) await killed(this.#child)
  }

  async #configure(lines: readonly string[]): Promise<void> {
    const done = await askFrr(this.host, 'configure terminal', 'bfd', this.#peer(), ...lines)
    if (done === null) throw new Error(`bfdd takes not: ${lines.join('; ')}`)
  }

  #peer(): string {
    const { own, peer, multihop } = this.#path
    const which = multihop ? 'multihop ' : ''
    const by = multihop ? '' : ' interface eth0'
    return `peer ${peer} ${which}local-address ${own}${by}`
  }

  #lines(): string[] {
    const { rx, tx, multiplier } = this.#pace
    const { passive = false, minimumTtl } = this.#path
    return [
      `receive-interval ${rx}`,
      `transmit-interval ${tx}`,
      `detect-multiplier ${multiplier}`,
      ...(passive ? ['passive-mode'] : []),
      ...(minimumTtl === undefined ? [] : [`minimum-ttl ${minimumTtl}`]),
    ]
  }
}
