/**
 * What can go wrong, as one table: each fault begins, and says how it ends. `passing` ones end after a while by
 * themselves; `lasting` ones may stay while the cluster comes to rest around them (a partition, a dead host).
 */
import { viewOf } from '../../src/base/bytes.ts'
import type { Ip } from '../../src/base/ip.ts'
import type { Us } from '../../src/base/time.ts'
import { encodeAdvert } from '../../src/wire/vrrp.ts'
import type { Host } from './host.ts'
import { altered } from './host-file.ts'
import type { Invariants } from './invariants.ts'
import { fair, type Lan } from './lan.ts'
import type { Prng } from './prng.ts'
import { type Scenario, vipsOf } from './scenario.ts'

export type World = {
  readonly scenario: Scenario
  readonly prng: Prng
  readonly lan: Lan
  readonly hosts: readonly Host[]
  readonly invariants: Invariants
  /** LAN port of a router that is none of the hosts. */
  readonly foreigner: number
  later(spanUs: number, run: () => void): void
}

export type Ending = () => void

export type Fault = {
  readonly name: string
  readonly lasts: 'passing' | 'lasting' | 'instant'
  begin(world: World): Ending
}

const nothing: Ending = () => undefined

const foreignSource = { 4: '10.0.0.200' as Ip, 6: 'fe80::200' as Ip }
const group = { 4: '224.0.0.18' as Ip, 6: 'ff02::12' as Ip }

export const faults: readonly Fault[] = [
  {
    name: 'bad weather',
    lasts: 'passing',
    begin: ({ lan, prng, scenario }) => {
      lan.weather = {
        loss: prng.pick([0, 0.05, 0.3, 0.6, 0.9]),
        duplication: prng.pick([0, 0.2]),
        delayMinUs: 40,
        // Beyond a third of the interval adverts overtake each other.
        delayMaxUs: Math.floor(scenario.advertUs * prng.pick([0.001, 0.1, 0.5, 1.5])) + 200,
      }
      return () => {
        lan.weather = fair
      }
    },
  },
  {
    name: 'partition',
    lasts: 'lasting',
    begin: ({ hosts, lan, prng }) => {
      const side = new Map(hosts.map((host) => [host, prng.chance(0.5)]))
      const mends = hosts.flatMap((a) =>
        hosts.flatMap((b) => (side.get(a) === side.get(b) ? [] : [lan.cut(a.port, b.port)])),
      )
      return () => {
        for (const mend of mends) mend()
      }
    },
  },
  {
    name: 'one-way cut',
    lasts: 'passing',
    begin: ({ hosts, lan, prng }) => {
      const from = prng.pick(hosts)
      const to = prng.pick(hosts.filter((host) => host !== from))
      return lan.cut(from.port, to.port)
    },
  },
  {
    name: 'sleep',
    lasts: 'passing',
    begin: (world) => {
      const host = world.prng.pick(world.hosts)
      host.sleep(world.prng.pick(['stopped', 'machine'] as const))
      return () => wakeUp(world, host)
    },
  },
  {
    name: 'sleep of all',
    lasts: 'passing',
    begin: (world) => {
      for (const host of world.hosts) host.sleep('machine')
      return () => {
        for (const host of world.hosts) wakeUp(world, host)
      }
    },
  },
  {
    name: 'stalled main thread',
    lasts: 'passing',
    begin: (world) => {
      const host = world.prng.pick(world.hosts)
      host.stall()
      return () => {
        host.unstall()
        world.invariants.disturb(0, 'main thread turns', host)
      }
    },
  },
  {
    name: 'crash',
    lasts: 'lasting',
    begin: ({ hosts, prng, invariants }) => {
      const host = prng.pick(hosts)
      host.crash()
      return () => {
        if (prng.chance(0.3)) host.reboot()
        host.start()
        invariants.disturb(0, 'started again', host)
      }
    },
  },
  {
    name: 'orderly stop',
    lasts: 'lasting',
    begin: ({ hosts, prng, invariants }) => {
      const host = prng.pick(hosts)
      host.stop()
      return () => {
        host.start()
        invariants.disturb(0, 'started again', host)
      }
    },
  },
  {
    name: 'reload',
    lasts: 'instant',
    begin: ({ hosts, prng, invariants }) => {
      const host = prng.pick(hosts)
      host.plan.priority = prng.between(31, 230)
      invariants.note(`priority of ${host.name} becomes ${host.plan.priority}`)
      host.reload()
      return nothing
    },
  },
  {
    name: 'bad check',
    lasts: 'lasting',
    begin: (world) => {
      const host = world.prng.pick(world.hosts)
      setCheck(world, host, false)
      return () => setCheck(world, host, true)
    },
  },
  {
    name: 'flapping check',
    lasts: 'passing',
    begin: (world) => {
      const { hosts, prng, scenario, later } = world
      const host = prng.pick(hosts)
      const period = Math.floor(scenario.advertUs * prng.pick([0.01, 0.4, 1.1]))
      for (let i = 1; i < 2 * prng.between(1, 6); i++)
        later(i * period, () => setCheck(world, host, i % 2 === 0))
      return () => later(12 * period, () => setCheck(world, host, true))
    },
  },
  {
    name: 'link down',
    lasts: 'lasting',
    begin: ({ hosts, prng, invariants }) => {
      const host = prng.pick(hosts)
      host.kernel.setUp(false)
      return () => {
        host.kernel.setUp(true)
        invariants.disturb(0, 'link up', host)
      }
    },
  },
  {
    name: 'addresses deleted',
    lasts: 'instant',
    begin: ({ hosts, prng, scenario, invariants, later }) => {
      const host = prng.pick(hosts)
      for (let i = 0; i < prng.pick([1, 3, 60]); i++)
        later(prng.between(0, 400_000), () => {
          invariants.disturb(0, 'address deleted', host)
          host.kernel.remove(prng.pick(vipsOf(scenario)).address)
          for (const entry of host.kernel.entriesWith('198.18.')) host.kernel.removeEntry(entry)
        })
      return nothing
    },
  },
  {
    name: 'foreign router',
    lasts: 'passing',
    begin: (world) => {
      const { prng, scenario } = world
      const priority = prng.pick([0, 1, 100, 254, prng.between(1, 254)])
      const every = Math.floor(scenario.advertUs * prng.pick([0.1, 1]))
      let on = true
      const speak = (): void => {
        if (!on) return
        foreignAdvert(world, priority, 'valid')
        world.later(every, speak)
      }
      speak()
      return () => {
        on = false
      }
    },
  },
  {
    name: 'forged adverts',
    lasts: 'passing',
    begin: (world) => {
      let on = true
      const every = Math.floor(world.scenario.advertUs * 0.3)
      const speak = (): void => {
        if (!on) return
        const forgery = world.prng.pick(['ttl', 'checksum', 'short'] as const)
        foreignAdvert(world, world.prng.pick([0, 254]), forgery)
        world.later(every, speak)
      }
      speak()
      return () => {
        on = false
      }
    },
  },
]

/** With BFD: its path dies, and that of the adverts does not. */
export const bfdFaults: readonly Fault[] = [
  {
    name: 'BFD path cut',
    lasts: 'lasting',
    begin: ({ hosts, lan, prng }) => {
      const from = prng.pick(hosts)
      const to = prng.pick(hosts.filter((host) => host !== from))
      const there = lan.cut(from.port, to.port, 'bfd')
      const back = prng.chance(0.5) ? lan.cut(to.port, from.port, 'bfd') : nothing
      return () => {
        there()
        back()
      }
    },
  },
  {
    name: 'BFD path flaps',
    lasts: 'instant',
    begin: ({ hosts, lan, prng, later, scenario, invariants }) => {
      const from = prng.pick(hosts)
      const to = prng.pick(hosts.filter((host) => host !== from))
      const every = Math.floor(scenario.advertUs * prng.pick([0.4, 3, 9]))
      for (let i = 0; i < 3; i++)
        later(2 * i * every, () => {
          invariants.disturb(0, 'BFD path cut')
          const end = lan.cut(from.port, to.port, 'bfd')
          later(every, () => {
            invariants.disturb(0, 'BFD path mended')
            end()
          })
        })
      return nothing
    },
  },
]

/** What a segment with signed adverts draws from beside those: all of it must pass unnoticed, also at rest. */
export const attacks: readonly Fault[] = [
  {
    name: 'altered adverts',
    lasts: 'lasting',
    begin: (world) => again(world, 0.7, () => alteredAdvert(world)),
  },
  {
    name: 'unsigned adverts',
    lasts: 'lasting',
    begin: (world) => again(world, 0.9, () => foreignAdvert(world, 254, 'valid')),
  },
]

/** One of the last adverts, as if sent a second later: its MAC does not cover that. */
export function alteredAdvert({ lan, foreigner, prng }: World): void {
  if (lan.recorded.length === 0) return
  const packet = prng.pick(lan.recorded)
  const bytes = Uint8Array.from(packet.bytes)
  const view = viewOf(bytes)
  const secondsAt = bytes.length - 24
  view.setUint32(secondsAt, view.getUint32(secondsAt) + 1)
  lan.send(foreigner, { ...packet, bytes, valid: false })
}

/** Until it ends, once in so many advert intervals. */
export function again(world: World, intervals: number, speak: () => void): Ending {
  let on = true
  const turn = (): void => {
    if (!on) return
    speak()
    world.later(Math.floor(world.scenario.advertUs * intervals), turn)
  }
  turn()
  return () => {
    on = false
  }
}

/** What `changes` draws from beside those. */
export const changes: readonly Fault[] = [
  {
    name: 'file altered',
    lasts: 'instant',
    begin: (world) => {
      alterFile(world, world.prng.pick(world.hosts))
      return nothing
    },
  },
  {
    name: 'file altered and stopped',
    lasts: 'lasting',
    begin: (world) => {
      const { prng, invariants, later } = world
      const host = prng.pick(world.hosts)
      alterFile(world, host)
      later(prng.between(0, 6_000), () => host.stop())
      return () => {
        host.start()
        invariants.disturb(0, 'started again', host)
      }
    },
  },
  {
    name: 'another process',
    lasts: 'instant',
    begin: ({ hosts, prng }) => {
      prng.pick(hosts).exchange()
      return nothing
    },
  },
  {
    name: 'interface gone',
    lasts: 'lasting',
    begin: ({ hosts, prng, invariants }) => {
      const host = prng.pick(hosts)
      host.kernel.removeLink()
      if (prng.chance(0.5)) host.reload()
      if (prng.chance(0.2)) host.stop()
      return () => {
        host.kernel.addLink()
        host.start()
        invariants.disturb(0, 'interface back', host)
      }
    },
  },
  {
    name: 'no descriptors',
    lasts: 'passing',
    begin: (world) => {
      const { prng, invariants } = world
      const host = prng.pick(world.hosts)
      host.opens = false
      alterFile(world, host)
      return () => {
        host.opens = true
        host.reload()
        invariants.disturb(0, 'descriptors', host)
      }
    },
  },
  {
    name: 'drained',
    lasts: 'lasting',
    begin: ({ hosts, prng, invariants }) => {
      const host = prng.pick(hosts)
      host.drain(true)
      return () => {
        host.drain(false)
        invariants.disturb(0, 'resumed', host)
      }
    },
  },
]

/** An operator writes the file anew, priorities as they are, and reloads. */
function alterFile({ scenario, prng, invariants }: World, host: Host): void {
  host.plan.file = altered(host.plan.file, scenario, prng)
  invariants.note(`${host.name}: ${JSON.stringify(host.plan.file)}`)
  invariants.reloads(host)
  host.reload()
}

function setCheck(world: World, host: Host, good: boolean): void {
  world.invariants.disturb(0, `check ${good ? 'good' : 'bad'}`, host)
  host.setCheck(good)
}

function wakeUp(world: World, host: Host): void {
  host.wakeUp()
  world.invariants.disturb(0, 'awake', host)
}

/** An advert of a router that is none of the hosts, one for each virtual router. */
export function foreignAdvert(
  { scenario, lan, foreigner }: World,
  priority: number,
  kind: 'valid' | 'ttl' | 'checksum' | 'short',
): void {
  const { version, family, advertUs } = scenario
  const vips = vipsOf(scenario)
  for (const vrid of new Set(vips.map((vip) => vip.vrid))) {
    const to = group[family]
    const from = foreignSource[family]
    const bytes = encodeAdvert({
      version,
      family,
      vrid,
      priority,
      intervalUs: advertUs as Us,
      addresses: vips.filter((vip) => vip.vrid === vrid).map((vip) => vip.address),
      password: null,
      source: from,
      destination: to,
      checksumAsV2: false,
    })
    if (kind === 'checksum') bytes[6] = (bytes[6] ?? 0) ^ 0x5a
    const payload = kind === 'short' ? bytes.subarray(0, 7) : bytes
    const ttl = kind === 'ttl' ? 254 : 255
    const valid = kind === 'valid' && scenario.sealed !== true
    lan.send(foreigner, { from, to, ttl, bytes: payload, valid })
  }
}
