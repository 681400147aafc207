/** An instance, an engine that notes its orders, and events for it. */
import { us } from '../../../src/base/time.ts'
import type { Assessment } from '../../../src/election/priority.ts'
import type { Engine } from '../../../src/engine/contract.ts'
import type { OrderFor } from '../../../src/engine/order.ts'
import { Links } from '../../../src/router/binding/sockets.ts'
import { RunningInstance } from '../../../src/router/dispatch/instance.ts'
import type { InstancePorts } from '../../../src/router/dispatch/instance-parts.ts'
import { SharedEntries } from '../../../src/router/dispatch/shared-entries.ts'
import { OrderQueue } from '../../../src/router/orders.ts'
import { encodeAdvert } from '../../../src/wire/vrrp.ts'
import { noCounters } from './book-engine.ts'
import { address, instance, ip, kernelOf, link } from './facts.ts'

/** An engine that writes down what it is ordered, and does nothing of its own. */
export function recorder() {
  const orders: OrderFor[] = []
  let now = 0
  const engine: Engine = {
    now: () => us(now),
    openLink: () => 7,
    setFilter: () => undefined,
    closeLink: () => undefined,
    addSlot: () => undefined,
    setPeers: () => undefined,
    setSeal: () => undefined,
    sealMemory: () => ({ sent: '0'.repeat(16), heard: [] }),
    senders: () => [],
    setLiveness: () => undefined,
    removeSlot: () => undefined,
    order: (given) => void orders.push(...given),
    flush: () => Promise.resolve(),
    renew: () => undefined,
    listen: () => undefined,
    request: () => new Uint8Array(),
    rejoin: () => Promise.resolve([]),
    counters: () => noCounters,
    gaps: () => ({ histogram: [], long: [], heard: 0, missed: 0, windows: [] }),
    linkCounters: () => ({ received: 0, throttled: 0, coalesced: 0, unclaimed: 0 }),
    wakeups: () => ({ untilUs: [], counts: [0], sumUs: 0 }),
    stop: () => undefined,
  }
  const advance = (toUs: number) => {
    now = toUs
  }
  return { engine, orders, advance }
}

export const fine: Assessment = {
  effective: 100,
  faults: [],
  arithmetic: '100',
  standsBy: null,
}

export function atWork(assessment = fine, cfg = instance()) {
  const { engine, orders, advance } = recorder()
  const notified: string[] = []
  const queue = new OrderQueue(engine)
  const lines: string[] = []
  const quiet = () => undefined
  const ports: InstancePorts = {
    engine,
    kernel: kernelOf([link(3, 'eth0')], [address(3, '172.16.80.2')]),
    links: new Links(engine),
    orders: queue,
    shared: new SharedEntries(),
    notifier: {
      instance: ({ state }) => void notified.push(state),
      group: quiet,
      repeat: quiet,
      reconfigure: quiet,
      stop: () => Promise.resolve(),
    },
    log: {
      debug: quiet,
      info: quiet,
      warn: (line) => void lines.push(line),
      error: quiet,
      flush: () => Promise.resolve(),
    },
    happened: () => null,
    linkState: () => 'ready' as const,
    leaseOf: () => null,
    claim: () => true,
    virtual: () => new Set([ip('172.16.80.100')]),
    wallMs: () => 0,
    giveUpLead: () => false,
  }
  const it = new RunningInstance(1, cfg, assessment, ports)
  it.start()
  /** What has been ordered since the last call. */
  const ordered = (): OrderFor[] => {
    queue.submit()
    return orders.splice(0)
  }
  return { it, ordered, lines, notified, advance }
}

export const expired = (generation: number) =>
  ({ kind: 'expired', slot: 1, generation, deadlineUs: us(0), at: us(0), doneAt: us(0) }) as const

export const advertOf = (priority: number) =>
  ({
    kind: 'packet',
    link: 7,
    slot: 1,
    generation: 1,
    from: ip('172.16.80.3'),
    ttl: 255,
    payload: encodeAdvert({
      version: 2,
      family: 4,
      vrid: 80,
      priority,
      intervalUs: us(2_000_000),
      addresses: [ip('172.16.80.100')],
      password: null,
      source: ip('172.16.80.3'),
      destination: ip('224.0.0.18'),
      checksumAsV2: false,
    }),
    at: us(1_000_000),
    count: 1,
  }) as const
