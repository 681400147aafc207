/** The other host: a child process with an engine. Its end of a veth pair is moved in by the test. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { EngineEvent, LinkSpec } from '../../src/engine/contract.ts'
import type { SlotCounters } from '../../src/engine/counters.ts'
import { startEngine } from '../../src/engine/native.ts'
import type { OrderFor } from '../../src/engine/order.ts'
import { ip, quiet, Remote, serveRemote } from './remote.ts'

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

export class Peer extends Remote<Methods> {
  constructor() {
    super(fileURLToPath(import.meta.url))
  }
}

serveRemote(() => {
  const events: EngineEvent[] = []
  const { engine } = startEngine(quiet, (batch) => events.push(...batch))
  const methods: Methods = {
    ip: (args) => ip(...args),
    sysctl: (name, value) => writeFileSync(`/proc/sys/${name}`, value),
    openLink: (spec) => engine.openLink(spec),
    addSlot: (slot, link, vrid) => engine.addSlot(slot, link, vrid),
    order: (orders) => engine.order(orders),
    counters: (slot) => engine.counters(slot),
    events: () => events.splice(0),
  }
  return { methods, end: () => engine.stop() }
})
