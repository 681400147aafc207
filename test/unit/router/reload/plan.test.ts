/** What a plan says, and that it is carried out in slices of whole units. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../../src/base/time.ts'
import { keywords } from '../../../../src/config/keywords/table.ts'
import type { Config, Globals, Instance } from '../../../../src/config/types.ts'
import type { VirtualAddress } from '../../../../src/config/virtual-address.ts'
import type { AddressFacts, SlotFacts } from '../../../../src/engine/plans-addresses.ts'
import { addressDifference } from '../../../../src/router/binding/address-difference.ts'
import { inSlices } from '../../../../src/router/reload/apply.ts'
import { globalChanges, globalSettings } from '../../../../src/router/reload/globals.ts'
import { encodeAdvert } from '../../../../src/wire/vrrp.ts'
import { check, instanceText } from '../../config/reading.ts'
import { instance, ip, virtualAddress } from '../facts.ts'
import { config, globals, globalsOf, Stage } from './stage.ts'

const changesOf = (stage: Stage, next: Config): readonly string[] => {
  const plan = stage.plan(next)
  assert.ok(plan.ok)
  return plan.changes
}

const one = instance({ name: 'V1', vrid: 51 })

const unicast = (name: string, peers: readonly string[], source: string | null = null): Instance =>
  instance({
    name,
    vrid: 51,
    addresses: [virtualAddress(`10.3.0.${name.charCodeAt(0)}`)],
    transport: {
      kind: 'unicast',
      source: source === null ? null : ip(source),
      peers: peers.map((address) => ({ address: ip(address), minTtl: 0, maxTtl: 255 })),
      ttl: null,
      checkSource: false,
      faultNoPeer: false,
    },
  })

test('every global setting is applied by a reload or named in its answer', () => {
  assert.deepEqual(globalSettings.map(({ field }) => field).sort(), Object.keys(globals).sort())
  for (const { field, keyword, effect } of globalSettings) {
    const altered = { ...globals, [field]: 'something else' } as unknown as Globals
    const [said = '', ...more] = globalChanges(globals, globals, altered)
    assert.deepEqual(more, [])
    assert.ok(said.startsWith(`${keyword}: `), said)
    const again = globalChanges(globals, altered, altered)
    assert.deepEqual(again, effect === 'now' ? [] : [said], 'named until the daemon is restarted')
  }
})

test('the words of the answer are keywords', () => {
  const names = new Set(keywords.map(({ name }) => name))
  for (const { keyword } of globalSettings)
    assert.ok(names.has(keyword.split(' ')[0] ?? ''), keyword)
})

test('scripts, sync groups and globals are no nothing', () => {
  const text = (script: string, interval: number) =>
    `vrrp_script ${script} {\n script "/usr/bin/true"\n interval ${interval}\n}\n${instanceText(`track_script {\n ${script}\n}`)}`
  const read = (file: string): Config => {
    const report = check(file)
    assert.ok(report.config !== null, report.text)
    return report.config
  }
  const stage = new Stage()
  stage.apply(read(text('a', 1)))
  assert.deepEqual(changesOf(stage, read(text('a', 1))), [])
  assert.deepEqual(changesOf(stage, read(text('a', 2))), ['script a: altered'])
  const other = changesOf(stage, read(text('b', 1)))
  assert.deepEqual(other, [
    ...['V: altered: the checks that it tracks', 'script a: removed', 'script b: added'],
  ])
  const slower = { ...read(text('a', 1)), globals: globalsOf('vipd_liveness 20') }
  assert.deepEqual(changesOf(stage, slower), ['vipd_liveness: altered'])
  const scheduled = { ...read(text('a', 1)), globals: globalsOf('vrrp_rt_priority 40') }
  const needs = ['vrrp_rt_priority: needs a restart of the daemon']
  assert.deepEqual(changesOf(stage, scheduled), needs)
  stage.apply(scheduled)
  assert.deepEqual(changesOf(stage, scheduled), needs)
})

test('an instance that could not be applied is applied by the next reload', () => {
  const stage = new Stage()
  stage.engine.broken.add('eth0')
  const moved = config([one])
  stage.apply(moved)
  assert.equal(stage.named('V1').state.kind, 'fault')
  assert.deepEqual(changesOf(stage, moved), ['V1: applied again'])
  stage.engine.broken.clear()
  stage.apply(moved)
  assert.equal(stage.named('V1').state.kind, 'backup')
  assert.deepEqual(changesOf(stage, moved), [])
})

test('two instances that cannot be told apart are refused before anything is changed', () => {
  const stage = new Stage()
  stage.apply(config([unicast('A', ['10.0.0.11'])]))
  const before = stage.state()
  const plan = stage.apply(
    config([unicast('A', ['10.0.0.12']), unicast('B', ['10.0.0.13', '10.0.0.12'])]),
  )
  assert.ok(!plan.ok)
  const [refusal] = plan.refusals
  assert.equal(refusal?.code, 'double-vrid')
  assert.match(refusal?.message ?? '', /B and A both use VRID 51 and the peer 10\.0\.0\.12/)
  assert.deepEqual(stage.state(), before)
})

test('a unicast master goes on when the source that it has is written down, and when its source changes', () => {
  const stage = new Stage()
  stage.apply(config([unicast('A', ['10.0.0.11'])]))
  stage.expireAll()
  const { slot } = stage.named('A')
  for (const source of ['10.0.0.1', '10.0.0.2']) {
    stage.apply(config([unicast('A', ['10.0.0.11'], source)]))
    const it = stage.named('A')
    assert.deepEqual([it.slot, it.state.kind, it.binding.source], [slot, 'master', source])
    assert.equal(stage.engine.standing.get(slot)?.order.kind, 'lead')
  }
})

test('unicast instances of one VRID take over each other’s peers', () => {
  const stage = new Stage()
  stage.apply(config([unicast('A', ['10.0.0.11', '10.0.0.12']), unicast('B', ['10.0.0.13'])]))
  stage.expireAll()
  const next = [unicast('A', ['10.0.0.11']), unicast('B', ['10.0.0.13', '10.0.0.12'])]
  stage.apply(config(next))
  for (const it of stage.roster.instances) {
    const peers = it.cfg.transport.kind === 'unicast' ? it.cfg.transport.peers : []
    assert.deepEqual(
      stage.engine.slots.get(it.slot)?.peers,
      peers.map((p) => p.address),
    )
    assert.equal(it.state.kind, 'master')
    assert.equal(stage.engine.standing.get(it.slot)?.order.kind, 'lead')
  }
})

test('a backup whose sockets are replaced keeps the deadline that the engine has by then', () => {
  const stage = new Stage()
  stage.apply(config([unicast('A', ['10.0.0.11'])]))
  const { slot } = stage.named('A')
  const follow = (): { readonly deadlineUs: number; readonly restartUs: number } => {
    const order = stage.engine.standing.get(slot)?.order
    assert.ok(order?.kind === 'follow')
    return order
  }
  const from = ip('10.0.0.11')
  const advert = {
    version: 2 as const,
    family: 4 as const,
    vrid: 51,
    priority: 200,
    intervalUs: us(2_000_000),
    addresses: [ip('10.3.0.65')],
    password: null,
    source: from,
    destination: ip('10.0.0.1'),
    checksumAsV2: false,
  }
  const heard = { kind: 'packet', link: 1, slot, generation: 1, from, ttl: 255, count: 1 } as const
  stage.named('A').receive({ ...heard, payload: encodeAdvert(advert), at: us(0) })
  stage.settle()
  const { restartUs } = follow()
  // The engine has taken one like it ever since, and said nothing.
  const heardAt = us(600_000_000)
  stage.engine.heardAt.set(slot, heardAt)
  stage.engine.time = heardAt + 1_000
  stage.apply(config([unicast('A', ['10.0.0.11'], '10.0.0.2')]))
  assert.equal(follow().deadlineUs, heardAt + restartUs)
})

test('a backup whose sockets are replaced after its deadline listens once more', () => {
  const stage = new Stage()
  stage.apply(config([unicast('A', ['10.0.0.11'])]))
  stage.engine.time = 60_000_000
  stage.apply(config([unicast('A', ['10.0.0.11'], '10.0.0.2')]))
  const order = stage.engine.standing.get(stage.named('A').slot)?.order
  assert.ok(order?.kind === 'follow')
  assert.equal(order.deadlineUs, 60_000_000 + order.restartUs)
})

test('an address that moves from one master to the other is there when both have changed', () => {
  const vips = (a: string, b: string): readonly Instance[] => [
    instance({ name: 'V1', vrid: 51, addresses: [virtualAddress(a)] }),
    instance({ name: 'V2', vrid: 52, addresses: [virtualAddress(b)] }),
  ]
  const stage = new Stage()
  stage.apply(config(vips('10.5.0.1', '10.5.0.2')))
  stage.expireAll()
  stage.apply(config(vips('10.5.0.2', '10.5.0.1')))
  assert.deepEqual(stage.engine.held.map(({ address }) => address).sort(), ['10.5.0.1', '10.5.0.2'])
})

test('addresses that are one to the kernel are what the last line says, at the start and after a reload', () => {
  const peer = (address: string) => ({ peer: { address: ip(address), prefixLength: 24 } })
  const near = virtualAddress('10.0.0.1', peer('10.0.7.8'))
  const far = virtualAddress('10.0.0.1', peer('10.0.7.9'))
  const long = virtualAddress('fd00::1', { prefixLength: 128 })
  const wide = virtualAddress('fd00::1', { prefixLength: 64 })
  const lists = [[near], [near, far], [far, near], [long], [long, wide], [wide, long]]
  const of = (addresses: readonly VirtualAddress[]) =>
    config([instance({ name: 'V1', vrid: 51, addresses: [], excluded: addresses })])
  for (const first of lists)
    for (const next of lists) {
      const [stage, fresh] = [new Stage(), new Stage()]
      for (const to of [first, next]) {
        stage.apply(of(to))
        stage.expireAll()
      }
      fresh.apply(of(next))
      fresh.expireAll()
      const last = next.at(-1)
      const held = fresh.engine.held.map(({ peer: end, prefixLength }) => [end, prefixLength])
      assert.deepEqual(held, [
        [last?.peer?.address ?? null, last?.peer?.prefixLength ?? last?.prefixLength],
      ])
      assert.deepEqual(stage.state(), fresh.state())
    }
})

const facts = (...addresses: readonly Partial<AddressFacts>[]): SlotFacts => {
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 3)
  const where = { ifindex: 3, mac, router: false, advertised: true }
  const all = addresses.map((more) => ({ ...virtualAddress('10.3.0.1'), ...where, ...more }))
  return { addresses: all as readonly unknown[], lifetimeSeconds: null } as unknown as SlotFacts
}

test('an altered address is set again, replaced within one request, or added before the old one goes', () => {
  const how = (from: Partial<AddressFacts>, to: Partial<AddressFacts>): string => {
    const { add, swap, remove } = addressDifference(facts(from), facts(to))
    return [
      ...add.map(() => 'add'),
      ...swap.map(() => 'swap'),
      ...remove.map(() => 'remove'),
    ].join()
  }
  const peer = (address: string, prefixLength: number) => ({
    peer: { address: ip(address), prefixLength },
  })
  const six = { address: ip('fd00::1'), prefixLength: 128 }
  assert.equal(how({}, {}), '')
  assert.equal(how({}, { preferredSeconds: 0 }), 'add')
  assert.equal(how({}, { label: 'eth0:a' }), 'swap')
  assert.equal(how({}, { scope: 253 }), 'swap')
  assert.equal(how({}, { broadcast: ip('10.3.0.255') }), 'swap')
  assert.equal(how({}, { noprefixroute: true }), 'swap')
  assert.equal(how({}, { autojoin: true }), 'swap')
  assert.equal(how({}, { prefixLength: 24 }), 'add,remove')
  assert.equal(how({}, peer('10.4.0.1', 32)), 'add,remove')
  assert.equal(how(peer('10.4.0.1', 32), peer('10.4.0.2', 32)), 'add,remove')
  assert.equal(
    how(peer('10.4.0.1', 24), peer('10.4.0.2', 24)),
    'swap',
    'the kernel takes it for one',
  )
  assert.equal(how(six, { ...six, noprefixroute: true, mngtmpaddr: true }), 'add')
  assert.equal(how(six, { ...six, prefixLength: 64 }), 'swap', 'IPv6: one address, one entry')
  assert.equal(how(six, { ...six, ...peer('fd00::2', 128) }), 'swap')
})

const many = (n: number, priority: number): Config =>
  config(
    Array.from({ length: n }, (_, i) =>
      instance({
        name: `V${i}`,
        vrid: i + 1,
        priority,
        addresses: [virtualAddress(`10.5.0.${i}`)],
      }),
    ),
  )

test('between two slices each instance is old or new, the batch is ended and the lease renewed', async () => {
  const stage = new Stage()
  stage.apply(many(20, 100))
  stage.expireAll()
  stage.paceMs = 6
  const seen: string[] = []
  let renewed = 0
  const look = () => {
    renewed += 1
    const all = stage.roster.instances.map((it) => {
      const order = stage.engine.standing.get(it.slot)?.order
      const advert = order?.kind === 'lead' ? order.repeats[0]?.plan[0]?.bytes[2] : null
      assert.equal(advert, it.cfg.priority, 'the advert is of the configuration')
      assert.equal(it.assessment.effective, it.cfg.priority)
      return it.cfg.priority
    })
    seen.push(`${all.filter((priority) => priority === 120).length}`)
  }
  const flush = () => Promise.resolve()
  const slices = stage.slices(many(20, 120))
  assert.equal(await inSlices(slices, { renew: look, turn: flush, flush, statics: flush }), true)
  assert.equal(seen.at(-1), '20')
  assert.ok(renewed > 5, `${seen}`)
})

test('a daemon that stops between two slices leaves the others as they were', () => {
  const stage = new Stage()
  stage.apply(many(20, 100))
  stage.paceMs = 6
  const slices = stage.slices(many(20, 120))
  slices.next()
  stage.dispatcher.stop()
  assert.deepEqual(slices.next(), { done: true, value: false })
  const altered = stage.roster.instances.filter((it) => it.cfg.priority === 120).length
  assert.ok(altered > 0 && altered < 20, `${altered}`)
})

test('what is altered of an instance is said in the words of the file, and no secret', () => {
  const read = (...lines: string[]): Config => {
    const block = lines.map((line) => ` ${line}\n`).join('')
    const report = check(`vrrp_instance V {\n${block}}\n`)
    assert.ok(report.config !== null, report.text)
    return report.config
  }
  const fixed = ['interface eth0', 'virtual_router_id 51', 'virtual_ipaddress {\n 10.0.0.1/24\n }']
  const secret = 'authentication {\n auth_type PASS\n auth_pass hidden1\n }'
  const stage = new Stage()
  stage.apply(read(...fixed, 'priority 150', secret))
  const said = (...lines: string[]) => changesOf(stage, read(...lines))
  assert.deepEqual(said(...fixed, 'priority 150', secret), [])
  assert.deepEqual(said(...fixed, 'priority 140', 'advert_int 2', 'nopreempt', secret), [
    'V: altered: priority 150 -> 140, advert_int 1 -> 2, nopreempt',
  ])
  assert.deepEqual(said(...fixed, 'priority 150', secret.replace('hidden1', 'hidden2')), [
    'V: altered: auth_pass',
  ])
  assert.deepEqual(
    said(...fixed.slice(0, 2), 'virtual_ipaddress {\n 10.0.0.2/24\n }', 'priority 150', secret),
    ['V: altered: virtual_ipaddress'],
  )
})
