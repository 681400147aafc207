/**
 * What can go wrong, as one table: each fault begins, and says how it ends. `passing` ones end after a while by
 * themselves; `lasting` ones may stay while the cluster comes to rest around them (a partition, a dead host).
 */
import { foreignAdvert } from './foreign-adverts.ts'
import type { Host } from './host.ts'
import { fair } from './lan.ts'
import { vipsOf } from './scenario.ts'
import { type Fault, nothing, type World } from './world.ts'

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

function setCheck(world: World, host: Host, good: boolean): void {
  world.invariants.disturb(0, `check ${good ? 'good' : 'bad'}`, host)
  host.setCheck(good)
}

function wakeUp(world: World, host: Host): void {
  host.wakeUp()
  world.invariants.disturb(0, 'awake', host)
}
