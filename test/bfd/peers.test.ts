/**
 * vipd's BFD with BIRD 2 and with FRR's bfdd, over IPv4 and IPv6, on one segment and over a router. Each peer goes with
 * vipd through the whole life of a session: up, other intervals from either end, killed, stopped, switched off.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import type { Status, StatusBfd } from '../../src/report/status.ts'
import { conf, inLab } from '../e2e/pair.ts'
import { frrFolder } from '../frr/zebra.ts'
import { Bfdd } from './bfdd.ts'
import { Bird, birdCommand } from './bird.ts'
import type { Pace, Path, Speaker } from './speaker.ts'

const soonMs = 45_000
const speakers = { BIRD: Bird, FRR: Bfdd } as const
type Name = keyof typeof speakers
type Wire = {
  readonly name: string
  readonly length: number
  readonly near: string
  readonly far: string
}

/** `far` is on the second segment when a router is between them. */
const wires = (multihop: boolean): readonly Wire[] => [
  { name: 'IPv4', length: 24, near: '10.80.0.1', far: multihop ? '10.81.0.2' : '10.80.0.2' },
  { name: 'IPv6', length: 64, near: 'fd80::1', far: multihop ? 'fd81::2' : 'fd80::2' },
]
const router = { near: ['10.80.0.254/24', 'fd80::fe/64'], far: ['10.81.0.254/24', 'fd81::fe/64'] }

const pace: Pace = { rx: 150, tx: 250, multiplier: 4 }
const ourPace = 'min_rx 200\n  min_tx 200'

type How = Partial<Path> & {
  /** Of vipd's session. */
  readonly lines?: string
  /** The peer is not started. */
  readonly late?: boolean
}

/** Between vipd, which is on `one`, and the peer on `two`. */
class Meeting {
  readonly one: Host
  readonly speaker: Speaker
  readonly #wire: Wire
  readonly #more: string
  #vipd: Vipd

  private constructor(one: Host, speaker: Speaker, wire: Wire, more: string) {
    this.one = one
    this.speaker = speaker
    this.#wire = wire
    this.#more = more
    this.#vipd = startVipd(one, this.#text(ourPace))
  }

  static async open(lab: Lab, name: Name, wire: Wire, how: How = {}): Promise<Meeting> {
    const { near, far, length } = wire
    const { multihop = false, lines = '', late = false, ...over } = how
    // A link-local address is there by itself.
    const on = (address: string) => (address.startsWith('fe80') ? [] : [`${address}/${length}`])
    const one = await lab.host('one', { addresses: { eth0: [...on(near), '10.9.9.1/24'] } })
    const link = multihop ? 'eth1' : 'eth0'
    const two = await lab.host('two', { addresses: { [link]: on(far) } })
    if (multihop) await route(lab, wire, one, two)
    const speaker = new speakers[name](two, { own: far, peer: near, multihop, ...over }, pace)
    const meeting = new Meeting(one, speaker, wire, `${multihop ? 'multihop' : ''}\n  ${lines}`)
    if (!late) await speaker.start()
    return meeting
  }

  get mark(): number {
    return this.#vipd.child.mark
  }

  async bfd(): Promise<StatusBfd | null> {
    const ran = await this.#vipd.ask('status', '--json')
    return ran.stdout === '' ? null : ((JSON.parse(ran.stdout) as Status).bfd[0] ?? null)
  }

  /** The session as vipd has it, once it is so. */
  stands(what: string, wanted: (it: StatusBfd) => boolean): Promise<StatusBfd> {
    return until(`vipd's session is ${what}`, soonMs, async () => {
      const it = await this.bfd()
      return it !== null && wanted(it) ? it : null
    })
  }

  /** Up at both ends, at these intervals: milliseconds. */
  async areUp(detectionMs: number, transmitMs: number, awaitsMs: number): Promise<void> {
    const settled = (it: StatusBfd) =>
      it.state === 'Up' && it.detectionMs === detectionMs && it.transmitMs === transmitMs
    await this.stands(`up, ${detectionMs} ms, every ${transmitMs} ms`, settled)
    await this.peerSees(true)
    await until(`the peer awaits each ${awaitsMs} ms`, soonMs, async () => {
      return (await this.speaker.seen())?.awaitsMs === awaitsMs
    })
  }

  peerSees(up: boolean): Promise<unknown> {
    const what = `the peer's session is ${up ? 'up' : 'down'}`
    return until(what, soonMs, async () => (await this.speaker.seen())?.up === up)
  }

  says(what: RegExp, from = 0): Promise<unknown> {
    return this.#vipd.child.line(what, soonMs, from)
  }

  /** Nothing was lost since that line. */
  keptUp(from: number): void {
    const lines = this.#vipd.child.output.items.slice(from).map(({ text }) => text)
    assert.deepEqual(
      lines.filter((text) => /Entering (Down|Init) state/.test(text)),
      [],
    )
  }

  /** null: without the session. */
  async reload(lines: string | null): Promise<void> {
    this.#vipd.configure(this.#text(lines))
    const { status, text } = await this.#vipd.tryReload()
    assert.equal(status, 0, text)
  }

  restart(): void {
    this.#vipd = startVipd(this.one, this.#text(ourPace))
  }

  stop(): Promise<unknown> {
    return this.#vipd.stop()
  }

  kill(): Promise<void> {
    return this.#vipd.kill()
  }

  #text(lines: string | null): string {
    const { near, far } = this.#wire
    const body = `neighbor_ip ${far}\n  source_ip ${near}\n  multiplier 3\n  ${this.#more}\n  ${lines}`
    const before = lines === null ? '' : `bfd_instance b {\n  ${body}\n}`
    const more = lines === null ? '' : 'track_bfd {\n    b weight 10\n  }'
    return conf({ priority: 100, advertInt: 1, vip: '10.9.9.100', before, more })
  }
}

/** A router between the two segments; hosts know it by a route. */
async function route(lab: Lab, wire: Wire, one: Host, two: Host): Promise<void> {
  const between = await lab.host('between', {
    addresses: { eth0: router.near, eth1: router.far },
  })
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']
  await between.must('sysctl', ['-qw', ...forwarding])
  const routes =
    wire.length === 24
      ? [['10.81.0.0/24', '10.80.0.254'] as const, ['10.80.0.0/24', '10.81.0.254'] as const]
      : [['fd81::/64', 'fd80::fe'] as const, ['fd80::/64', 'fd81::fe'] as const]
  for (const [i, host] of [one, two].entries()) {
    const [to = '', via = ''] = routes[i] ?? []
    await host.must('ip', ['route', 'add', to, 'via', via])
  }
}

function raise(): never {
  throw new Error('no wire')
}

/** By intervals: 4 × the slower of 200 and 250; ours no more often than 200; the peer no more often than 200. */
const first = [1000, 200, 200] as const

async function life(meeting: Meeting): Promise<void> {
  const { speaker } = meeting
  await meeting.areUp(...first)
  const begun = meeting.mark
  await meeting.reload('min_rx 300\n  min_tx 400')
  await meeting.areUp(1200, 400, 400)
  await speaker.change({ rx: 450, tx: 500, multiplier: 4 })
  await meeting.areUp(2000, 450, 450)
  await speaker.change(pace)
  await meeting.reload(ourPace)
  await meeting.areUp(...first)
  meeting.keptUp(begun)
  const { badTtl, rejects, sendError } = await meeting.stands('known', () => true)
  assert.deepEqual([badTtl, sendError], [0, null])
  assert.deepEqual([...new Set(Object.values(rejects))], [0])

  let from = meeting.mark
  await speaker.kill()
  await meeting.says(/\(b\) Expired after 1000 ms/, from)
  await meeting.says(/Tracked BFD instance b is DOWN/, from)
  await speaker.start()
  await meeting.areUp(...first)

  from = meeting.mark
  await speaker.stop()
  await meeting.says(/\(b\) Entering Down state/, from)
  await speaker.start()
  await meeting.areUp(...first)

  await meeting.kill()
  await meeting.peerSees(false)
  meeting.restart()
  await meeting.areUp(...first)

  await meeting.stop()
  await meeting.peerSees(false)
  meeting.restart()
  await meeting.areUp(...first)

  await meeting.reload(null)
  await meeting.peerSees(false)
  await meeting.reload(ourPace)
  await meeting.areUp(...first)

  from = meeting.mark
  await speaker.switchOff()
  await meeting.says(/\(b\) Entering Down state/, from)
  await speaker.switchOn()
  await meeting.areUp(...first)
}

test('the peers are installed: Debian’s bird2 and frr', () => {
  for (const command of [birdCommand, `${frrFolder}/bfdd`, `${frrFolder}/zebra`])
    assert.ok(existsSync(command), command)
})

describe('the life of a session', { concurrency: 4 }, () => {
  for (const name of ['BIRD', 'FRR'] as const)
    for (const multihop of [false, true])
      for (const wire of wires(multihop))
        test(`${name}, ${wire.name}, ${multihop ? 'multihop' : 'single hop'}: up, other intervals, killed, stopped, switched off`, async () => {
          await inLab(`life-${name}-${wire.name}`, async (lab) => {
            await life(await Meeting.open(lab, name, wire, { multihop }))
          })
        })
})

/** With keepalived's words on our side and each peer's on its own. */
describe('who begins, and from how far', { concurrency: 4 }, () => {
  for (const name of ['BIRD', 'FRR'] as const) {
    const [wire = raise()] = wires(false)
    test(`${name}: passive at our end, nothing is sent before it speaks; passive at its end`, async () => {
      await inLab(`passive-${name}`, async (lab) => {
        const meeting = await Meeting.open(lab, name, wire, { lines: 'passive', late: true })
        const waiting = await meeting.stands('there', () => true)
        assert.deepEqual([waiting.sent, waiting.state], [0, 'Down'])
        await meeting.speaker.start()
        await meeting.areUp(...first)
      })
      await inLab(`passive-${name}-there`, async (lab) => {
        const meeting = await Meeting.open(lab, name, wire, { passive: true })
        await meeting.areUp(...first)
      })
    })

    // BIRD sends over several hops with the kernel's default TTL, and takes any.
    const ttl = name === 'BIRD' ? 64 : 255
    test(`${name}, multihop: with max_hops 0 a router between is refused and counted, with 1 it comes up`, async () => {
      await inLab(`hops-${name}`, async (lab) => {
        const [far = raise()] = wires(true)
        const lines = (hops: number) => `ttl ${ttl}\n  max_hops ${hops}`
        const how = { multihop: true, minimumTtl: 254, lines: lines(0) }
        const meeting = await Meeting.open(lab, name, far, how)
        const refused = await meeting.stands('refusing', (it) => it.badTtl > 3)
        assert.deepEqual([refused.state, refused.received], ['Down', 0])
        await meeting.reload(`${ourPace}\n  ${lines(1)}`)
        await meeting.areUp(...first)
      })
    })

    test(`${name}: link-local addresses`, async () => {
      await inLab(`local-${name}`, async (lab) => {
        const local = { ...wire, near: 'fe80::ff:fe00:1', far: 'fe80::ff:fe00:2', length: 64 }
        const meeting = await Meeting.open(lab, name, local)
        await meeting.areUp(...first)
        const from = meeting.mark
        await meeting.speaker.kill()
        await meeting.says(/\(b\) Expired after 1000 ms/, from)
      })
    })
  }
})
