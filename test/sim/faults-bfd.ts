/** What can go wrong with BFD beside the rest: its path dies, and that of the adverts does not. */
import { type Fault, nothing } from './world.ts'

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
    name: 'BFD path cut, and another process just before it is missed, or after',
    lasts: 'lasting',
    begin: ({ hosts, lan, prng, later, scenario, invariants }) => {
      const to = prng.pick(hosts)
      const from = prng.pick(hosts.filter((host) => host !== to))
      const end = lan.cut(from.port, to.port, 'bfd')
      const every = scenario.bfd?.everyUs ?? scenario.advertUs
      later(prng.between(2 * every, 3 * every), () => {
        invariants.disturb(0, 'another process')
        to.exchange()
      })
      return end
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
