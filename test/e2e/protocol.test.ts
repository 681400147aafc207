/**
 * What a daemon makes of packets that no daemon under test sends: they are put on the segment by a third host. What
 * RFC 9568 says of each, on the wire and in `vipd status`; with keepalived beside it where it knows the case too.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { concatBytes } from '../../src/base/bytes.ts'
import { us } from '../../src/base/time.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd, type VipdStatus } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { type AdvertFields, encodeAdvert, vrrpProtocol } from '../../src/wire/vrrp.ts'
import { frameOf, inject, ip } from './packets.ts'
import { conf, type Instance, inLab } from './pair.ts'

const soonMs = 20_000
const vip = '172.16.80.100'
const stranger = ip('172.16.80.9')

type Status = VipdStatus['instances'][number]

class Segment {
  readonly lab: Lab
  readonly host: Host
  readonly other: Host
  readonly daemon: Vipd

  private constructor(lab: Lab, host: Host, other: Host, daemon: Vipd) {
    this.lab = lab
    this.host = host
    this.other = other
    this.daemon = daemon
  }

  /** One vipd that has become master, and a host without a daemon. */
  static async open(lab: Lab, instance: Instance): Promise<Segment> {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24', 'fd00:80::2/64'] } })
    const other = await lab.host('other', { addresses: { eth0: [] } })
    const daemon = startVipd(one, conf(instance))
    await daemon.reaches('VI_1', 'MASTER', soonMs)
    return new Segment(lab, one, other, daemon)
  }

  async send(over: Partial<AdvertFields>, hops = 255, behind = 0): Promise<void> {
    const fields = { ...advert, ...over }
    const { source, destination } = fields
    const spec = { source, destination, protocol: vrrpProtocol, hops }
    await inject(this.other, 'eth0', [
      frameOf(
        this.lab.mac(this.other),
        spec,
        concatBytes([encodeAdvert(fields), new Uint8Array(behind)]),
      ),
    ])
  }

  /** How many transitions there have been: what to give `moves` in order to wait for a later one. */
  get mark(): number {
    return this.daemon.transitions.items.length
  }

  async moves(to: 'MASTER' | 'BACKUP', from: number): Promise<void> {
    await this.daemon.transitions.next(`VI_1 becomes ${to}`, soonMs, (t) => t.to === to, from)
  }

  async status(): Promise<Status> {
    const found = (await this.daemon.status()).instances.find((it) => it.name === 'VI_1')
    assert(found !== undefined)
    return found
  }

  /** Waits until `reason` has been counted; then the instance is still master. */
  async refuses(reason: string): Promise<void> {
    await until(`${reason} is counted`, soonMs, async () => {
      return ((await this.status()).rejects[reason] ?? 0) > 0
    })
    assert.equal((await this.status()).state, 'MASTER')
  }
}

/** Version 3, better than the daemon's. */
const advert: AdvertFields = {
  version: 3,
  family: 4,
  vrid: 51,
  priority: 200,
  intervalUs: us(200_000),
  addresses: [ip(vip)],
  password: null,
  source: stranger,
  destination: ip('224.0.0.18'),
  checksumAsV2: false,
}

const six: Partial<AdvertFields> = {
  family: 6,
  source: ip('fe80::9'),
  destination: ip('ff02::12'),
  addresses: [ip('fe80::100')],
}

describe('foreign packets', { concurrency: 3 }, () => {
  test('5.2.5: a master does not yield to an advert without addresses, IPv4, IPv6, version 2', async () => {
    const versions: readonly (readonly [Partial<Instance>, Partial<AdvertFields>])[] = [
      [{ version: 3 }, {}],
      [{ version: 3, vip: 'fe80::100' }, six],
      [
        { version: 2, advertInt: 1 },
        { version: 2, intervalUs: us(1_000_000) },
      ],
    ]
    for (const [instance, fields] of versions)
      await inLab('count', async (lab) => {
        const segment = await Segment.open(lab, { priority: 100, ...instance })
        await segment.send({ ...fields, addresses: [] })
        await segment.refuses('no-addresses')
      })
  })

  test('6.4.3: priority zero is answered, and the next advert follows a whole interval later', () =>
    inLab('zero', async (lab) => {
      const intervalMs = 2_000
      const segment = await Segment.open(lab, { priority: 100, advertInt: intervalMs / 1_000 })
      const watch = await lab.capture()
      const next = (from: number) => watch.advert('an advert', soonMs, (a) => a.priority > 0, from)
      // Once in a while the regular advert comes between; then the next resignation.
      await until('a resignation is answered out of turn', 60_000, async () => {
        const before = await next(watch.mark)
        // Far from either regular advert.
        await delay(intervalMs / 2)
        await segment.send({ priority: 0 })
        const answer = await next(watch.frames.items.indexOf(before) + 1)
        if (answer.atMs - before.atMs > 0.9 * intervalMs) return false
        const regular = await next(watch.frames.items.indexOf(answer) + 1)
        const gapMs = regular.atMs - answer.atMs
        assert.ok(gapMs > 0.9 * intervalMs, `${gapMs} ms after the answer`)
        return true
      })
    }))

  test('7.1: a wrong TTL and an unknown VRID are counted, said and named in status', async () => {
    const families: readonly (readonly [string, Partial<AdvertFields>])[] = [
      [vip, {}],
      ['fe80::100', six],
    ]
    for (const [address, fields] of families)
      await inLab('ttl', async (lab) => {
        const globals = 'log_unknown_vrids'
        const segment = await Segment.open(lab, { priority: 100, vip: address, globals })
        await segment.send(fields, 254)
        await segment.refuses('bad-ttl')
        assert.match(segment.daemon.child.text, /ignoring advert from \S+: bad-ttl/)
        await segment.send({ ...fields, vrid: 77 })
        await segment.send({ ...fields, vrid: 77, priority: 7 })
        const { source } = { ...advert, ...fields }
        const status = await until('two adverts of no instance', soonMs, async () => {
          const now = await segment.daemon.status()
          return now.engine.unclaimed >= 2 ? now : null
        })
        assert.deepEqual(status.unknownVrids, [{ interface: 'eth0', vrid: 77, from: source }])
        const lines = segment.daemon.child.text.match(/Unknown VRID 77 received/g) ?? []
        assert.equal(lines.length, 1)
      })
  })

  test('7.1: an advert with octets behind it is believed, IPv4 and IPv6', async () => {
    const families: readonly (readonly [string, Partial<AdvertFields>])[] = [
      [vip, {}],
      ['fe80::100', six],
    ]
    for (const [address, fields] of families)
      await inLab('excess', async (lab) => {
        const segment = await Segment.open(lab, { priority: 100, vip: address })
        const start = segment.mark
        await segment.send(fields, 255, 40)
        await segment.moves('BACKUP', start)
        assert.equal((await segment.status()).rejects['excess-octets'], 1)
        assert.match(segment.daemon.child.text, /ignoring 40 octets behind the advert of/)
      })
  })

  test('5.2.8: either checksum of version 3 over IPv4 is believed, counted and told', () =>
    inLab('checksum', async (lab) => {
      const segment = await Segment.open(lab, { priority: 100 })
      const start = segment.mark
      await segment.send({ checksumAsV2: true })
      await segment.moves('BACKUP', start)
      assert.deepEqual((await segment.status()).checksums, { 'pseudo-header': 0, message: 1 })
      await segment.moves('MASTER', start)
      const again = segment.mark
      await segment.send({ checksumAsV2: false })
      await segment.moves('BACKUP', again)
      assert.deepEqual((await segment.status()).checksums, { 'pseudo-header': 1, message: 1 })
      assert.match(segment.daemon.child.text, /checksum of the message alone \(RFC 9568\)/)
    }))
})
