/** A host with BFD sessions: a child process. Its end of a veth pair is moved in by the test. */
import { fileURLToPath } from 'node:url'
import type {
  BfdCounters,
  BfdEngineEvent,
  BfdSessionId,
  BfdSpec,
  BfdStanding,
} from '../../src/engine/bfd-contract.ts'
import { startEngine } from '../../src/engine/native.ts'
import { ip, quiet, Remote, serveRemote } from './remote.ts'

type Methods = {
  ip(args: readonly string[]): string
  open(spec: BfdSpec): void
  close(session: BfdSessionId, farewell: Uint8Array | null): void
  order(session: BfdSessionId, standing: BfdStanding): void
  counters(session: BfdSessionId): BfdCounters
  unclaimed(): number
  /** What was raised since the last call. */
  events(): readonly BfdEngineEvent[]
}

export class BfdHost extends Remote<Methods> {
  constructor() {
    super(fileURLToPath(import.meta.url))
  }
}

serveRemote(() => {
  const events: BfdEngineEvent[] = []
  const { engine, openBfd } = startEngine(quiet, () => undefined)
  const bfd = openBfd((batch) => events.push(...batch))
  const methods: Methods = {
    ip: (args) => ip(...args),
    open: (spec) => bfd.open(spec),
    close: (session, farewell) => bfd.close(session, farewell),
    order: (session, standing) => bfd.order(session, standing),
    counters: (session) => bfd.counters(session),
    unclaimed: () => bfd.unclaimed(),
    events: () => events.splice(0),
  }
  const end = () => {
    bfd.stop()
    engine.stop()
  }
  return { methods, end }
})
