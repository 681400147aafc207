/**
 * Routers that defend one address against each other, as two pairs do that were given the same address by mistake, and one
 * beside a router that answers for every address: what is announced on account of it stays little, whatever else happens.
 */
import assert from 'node:assert/strict'
import type { Ip } from '../../src/base/ip.ts'
import { macText } from '../../src/base/mac.ts'
import { decodeClaim } from '../../src/wire/claim.ts'
import { arpFrame, ndFrame } from '../unit/wire/claim-frames.ts'
import { Agenda } from './agenda.ts'
import type { Host } from './host.ts'
import type { MakeWorld } from './pair.ts'
import { plainHost } from './plain-host.ts'
import { type Broken, played } from './played.ts'
import { Prng } from './prng.ts'
import { type HostPlan, type Scenario, vipsOf } from './scenario.ts'
import type { World } from './world.ts'

const second = 1_000_000
const routerMac = '02:00:00:00:00:98'
const clientMac = '02:00:00:00:00:97'

type Policy = NonNullable<Scenario['claims']>

/** null: all was as it must be. */
export function defenders(seed: number, makeWorld: MakeWorld): Broken | null {
  const prng = new Prng(seed ^ 0xdefe)
  for (const play of [twoPairs, answersForOthers] as const) {
    const reaction = prng.pick(['announce', 'defend', 'defend'] as const)
    const check = prng.pick(['off', 'always'] as const)
    const agenda = new Agenda()
    const scenario = scenarioOf(seed, prng, { reaction, check, policy: 'warn' })
    const world = makeWorld(scenario, agenda, new Prng(seed))
    const how = `${play.name}, vipd_address_claim ${reaction}`
    const broken = played(how, world, () => play({ world, agenda, prng, reaction }))
    if (broken !== null) return broken
  }
  return null
}

type Segment = {
  readonly world: World
  readonly agenda: Agenda
  readonly prng: Prng
  readonly reaction: Policy['reaction']
}

/** Two routers of each pair. */
function scenarioOf(seed: number, prng: Prng, claims: Policy): Scenario {
  const family = prng.pick([4, 6] as const)
  const host = (number: number, priority: number): HostPlan =>
    plainHost(number, { family, priority })
  const hosts = [host(1, 150), host(2, 100), host(3, 150), host(4, 100)]
  const fixed = { seed, profile: 'storm', version: 3, family, lifetimeS: 8 } as const
  const advertUs = prng.pick([0.5, 1]) * second
  return { ...fixed, advertUs, grouped: false, refreshS: 0, hosts, hours: 1, claims }
}

/** Of one address on account of one machine in that time: the gaps are 10, 20, 40 … 300 s. */
const defences = (spanS: number): number => {
  let count = 1
  for (let at = 0, gap = 10; at + gap <= spanS; gap = Math.min(2 * gap, 300)) {
    at += gap
    count += 1
  }
  return count
}

/** They do not hear each other's adverts: another VRID, another group. */
function twoPairs({ world, agenda, prng, reaction }: Segment): void {
  const { hosts, lan, invariants } = world
  const pairs = [hosts.slice(0, 2), hosts.slice(2)] as const
  for (const a of pairs[0])
    for (const b of pairs[1]) {
      lan.cut(a.port, b.port, 'adverts')
      lan.cut(b.port, a.port, 'adverts')
    }
  invariants.disturb(1, 'two pairs')
  const heard = countClaims(world)
  for (const host of hosts) host.start()
  const pass = (spanUs: number): void => agenda.runUntil(Math.floor(agenda.now + spanUs))
  pass(20 * second)
  assert.deepEqual(leadersOf(hosts), ['host1', 'host3'])
  const spanS = 900
  pass(spanS * second)
  const addresses = vipsOf(world.scenario).length
  const most = reaction === 'defend' ? defences(spanS + 20) : 1
  for (const host of [hosts[0], hosts[2]]) {
    const { reported, announced } = countsOf(host)
    assert.ok(reported > 0, `${host?.name} reports the other pair`)
    assert.ok(announced <= most * addresses, `${host?.name} announces ${announced} times`)
    // The other one goes on, and so does this one.
    if (reaction === 'defend') assert.ok(announced >= 3 * addresses, `only ${announced} times`)
  }
  // Ten and more beginnings of leads have their own announcements; those of the claims are what a machine is owed.
  for (let i = 0; i < 12; i++) {
    const host = prng.pick([hosts[0], hosts[2]])
    if (host === undefined) continue
    invariants.disturb(0, 'drained', host)
    host.drain(true)
    pass(prng.between(4, 60) * second)
    invariants.disturb(0, 'resumed', host)
    host.drain(false)
    pass(prng.between(4, 60) * second)
  }
  pass(20 * second)
  assert.deepEqual(leadersOf(hosts), ['host1', 'host3'])
  // After ten minutes of silence a machine is another one.
  const elapsedS = agenda.now / second
  const inAll = reaction === 'defend' ? defences(elapsedS) : 1 + Math.floor(elapsedS / 600)
  // Each of the two machines of the other pair.
  for (const host of hosts) {
    const { announced } = countsOf(host)
    assert.ok(announced <= 2 * inAll * addresses, `${host.name}: ${announced} with hand-overs`)
  }
  // On the wire, beginnings of leads and all.
  const from = heard.count
  pass(600 * second)
  const perMinute = (heard.count - from) / 10
  assert.ok(perMinute <= 4 * addresses, `${perMinute} announcements in a minute`)
}

/** A router answers each host that asks for an address: that misleads only the one that asked, and announcing mends nothing. */
function answersForOthers({ world, agenda, reaction }: Segment): void {
  const { hosts, lan, invariants, scenario } = world
  const [a, b] = hosts
  const [vip] = vipsOf(scenario)
  assert.ok(a !== undefined && b !== undefined && vip !== undefined)
  const { family } = scenario
  const client = (family === 4 ? '10.0.0.77' : 'fe80::77') as Ip
  invariants.disturb(1, 'a router that answers for others')
  const port = lan.attach({ receive: () => undefined, frame: () => undefined })
  for (const host of [a, b]) host.start()
  const pass = (spanUs: number): void => agenda.runUntil(Math.floor(agenda.now + spanUs))
  pass(20 * second)
  const question =
    family === 4
      ? arpFrame({ operation: 1, mac: clientMac, sender: client, target: vip.address })
      : ndFrame({
          type: 'solicitation',
          mac: clientMac,
          source: client,
          target: vip.address,
          option: clientMac,
        })
  const answer =
    family === 4
      ? arpFrame({
          operation: 2,
          mac: routerMac,
          sender: vip.address,
          target: client,
          to: clientMac,
        })
      : ndFrame({
          type: 'advertisement',
          mac: routerMac,
          source: vip.address,
          target: vip.address,
          option: routerMac,
          solicited: true,
        })
  for (let i = 0; i < 150; i++) {
    lan.frame(world.foreigner, question)
    lan.frame(port, answer)
    pass(2 * second)
  }
  const { reported, announced } = countsOf(a)
  assert.equal(reported, 1, 'the router is reported, and the client that asks is not')
  assert.equal(announced, 0, `${reaction}: an answer is not announced against`)
  // It is there at a hand-over, too.
  invariants.disturb(0, 'drained', a)
  a.drain(true)
  pass(20 * second)
  assert.deepEqual(leadersOf(hosts), ['host2'])
  lan.frame(port, answer)
  pass(5 * second)
  assert.deepEqual([countsOf(b).reported, countsOf(b).announced], [1, 0])
}

const instanceOf = (host: Host | undefined) => host?.process?.main.dispatcher.instances[0]

const countsOf = (host: Host | undefined) =>
  instanceOf(host)?.claimants.counts ?? { frames: 0, reported: 0, announced: 0 }

const leadersOf = (hosts: readonly Host[]): readonly string[] =>
  hosts.flatMap((host) => {
    const slot = instanceOf(host)?.slot
    return slot !== undefined && host.process?.engine.leads(slot) === true ? [host.name] : []
  })

/** What passes on the segment in which a host claims an address for itself. */
function countClaims(world: World): { readonly count: number } {
  const heard = { count: 0 }
  const macs = new Set(world.hosts.map(({ kernel }) => `${macText(kernel.mac)}`))
  const { family } = world.scenario
  world.lan.attach({
    receive: () => undefined,
    frame: (bytes) => {
      const claim = decodeClaim(family, bytes)
      if (claim.ok && claim.value.how === 'announced' && macs.has(claim.value.mac)) heard.count += 1
    },
  })
  return heard
}
