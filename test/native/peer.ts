/**
 * The other host: a child process in a network namespace of its own, with an engine that the test commands over
 * IPC. Its end of a veth pair is moved in by the test.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { us } from '../../src/base/time.ts'
import type { EngineEvent, LinkSpec, OrderFor } from '../../src/engine/contract.ts'
import type { SlotCounters } from '../../src/engine/counters.ts'
import { startEngine } from '../../src/engine/native.ts'

/** What the test may ask of the peer; `command` is the arguments of ip(8). */
type Methods = {
  ip(args: readonly string[]): string
  /** Writes a sysctl, below /proc/sys. */
  sysctl(name: string, value: string): void
  openLink(spec: LinkSpec): number
  addSlot(slot: number, link: number, vrid: number): void
  order(orders: readonly OrderFor[]): void
  counters(slot: number): SlotCounters
  /** What was raised since the last call. */
  events(): readonly EngineEvent[]
}
type Call = { readonly id: number; readonly method: keyof Methods; readonly args: unknown[] }
type Reply = { readonly id: number; readonly value?: unknown; readonly error?: string }

/** Runs ip(8) and returns what it prints; throws with its complaint. */
export function ip(...args: readonly string[]): string {
  const done = spawnSync('ip', args, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`ip ${args.join(' ')}: ${done.stderr}`)
  return done.stdout
}

export class Peer {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(v: unknown): void; reject(e: Error): void }>()
  #id = 0

  constructor() {
    const self = fileURLToPath(import.meta.url)
    this.#child = spawn('unshare', ['-n', process.execPath, '--enable-source-maps', self, 'peer'], {
      stdio: ['ignore', 2, 2, 'ipc'],
      serialization: 'advanced',
    })
    this.#child.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      if (reply.error === undefined) waiting?.resolve(reply.value)
      else waiting?.reject(new Error(reply.error))
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  call<M extends keyof Methods>(
    method: M,
    ...args: Parameters<Methods[M]>
  ): Promise<ReturnType<Methods[M]>> {
    this.#id += 1
    const id = this.#id
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (v: unknown) => void, reject })
      this.#child.send({ id, method, args } satisfies Call)
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.disconnect()
    await gone
  }
}

function serve(): void {
  const events: EngineEvent[] = []
  const { engine } = startEngine(
    { realtimePriority: 0, rttimeUs: us(0), lockMemory: false, livenessUs: us(0) },
    (batch) => events.push(...batch),
  )
  const methods: Methods = {
    ip: (args) => ip(...args),
    sysctl: (name, value) => writeFileSync(`/proc/sys/${name}`, value),
    openLink: (spec) => engine.openLink(spec),
    addSlot: (slot, link, vrid) => engine.addSlot(slot, link, vrid),
    order: (orders) => engine.order(orders),
    counters: (slot) => engine.counters(slot),
    events: () => events.splice(0),
  }
  process.on('message', ({ id, method, args }: Call) => {
    const answer = (): Reply => {
      try {
        const value = (methods[method] as (...a: unknown[]) => unknown)(...args)
        return { id, value }
      } catch (error) {
        return { id, error: String(error) }
      }
    }
    process.send?.(answer())
  })
  process.on('disconnect', () => engine.stop())
}

if (process.argv[2] === 'peer') serve()
