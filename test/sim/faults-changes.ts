/** What operators and distributions do beside the rest: files altered, interfaces that go, another process. */
import type { Host } from './host.ts'
import { altered } from './host-file.ts'
import { type Fault, nothing, type World } from './world.ts'

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
