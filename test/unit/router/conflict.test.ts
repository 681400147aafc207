/** `vipd_address_conflict resign`: a master whose address another program removes again and again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import type { Instance, SyncGroup } from '../../../src/config/types.ts'
import { address, instance, virtualAddress } from './facts.ts'
import { config, Stage } from './reload/stage.ts'

const second = 1_000_000
const vip = '172.16.80.100'

const one = (more: Partial<Instance> = {}): Instance =>
  instance({ name: 'V1', vrid: 51, priority: 150, addressConflict: 'resign', ...more })

const group: SyncGroup = {
  name: 'G',
  members: ['V1', 'V2'],
  trackInterfaces: [],
  trackChecks: [],
  trackingWeight: false,
  notify: one().notify,
  place: one().place,
}

/** The instances lead, and V1 loses its address so often; a tenth of a second lies between two removals. */
class Conflict {
  readonly stage = new Stage()

  constructor(...instances: readonly Instance[]) {
    this.stage.apply(config(instances))
    this.stage.expireAll()
  }

  remove(times: number, spacingUs = second / 10): void {
    for (let i = 0; i < times; i++) {
      this.at(this.stage.engine.time + spacingUs)
      const gone = address(3, vip, { prefixLength: virtualAddress(vip).prefixLength })
      for (const it of this.stage.roster.instances) it.keeper.addressVanished(gone)
      this.stage.settle()
    }
  }

  at(timeUs: number): void {
    this.stage.engine.time = timeUs
    for (const it of this.stage.roster.instances) it.tick(us(timeUs))
    this.stage.settle()
  }

  get states(): readonly string[] {
    return this.stage.roster.instances.map(
      ({ name, state, machine, assessment }) =>
        `${name} ${state.kind} ${machine.effective} ${assessment.standsBy ?? '-'}`,
    )
  }

  /** No peer leads. */
  expire(): void {
    this.stage.expireAll()
    this.stage.settle()
  }
}

test('a link of ours that another program insists on: a peer is to lead, with report none', () => {
  const vmac = {
    kind: 'macvlan',
    name: 'vrrp.51',
    base: 'eth0',
    mac: '00:00:5e:00:01:33',
    ipv6: false,
    group: null,
  } as const
  for (const [addressConflict, wanted] of [
    ['resign', 'V1 backup 1 conflict'],
    ['report', 'V1 master 150 -'],
  ] as const) {
    const conflict = new Conflict(one({ addressConflict, virtualLinks: [vmac] }))
    for (const it of conflict.stage.roster.instances) {
      it.linkContested('other')
      it.linkContested('vrrp.51')
    }
    conflict.stage.settle()
    assert.deepEqual(conflict.states, [wanted])
  }
})

test('ten removals in ten seconds: priority 0, stands by, and takes part again after 10 s', () => {
  const conflict = new Conflict(one())
  conflict.remove(9)
  assert.deepEqual(conflict.states, ['V1 master 150 -'])
  conflict.remove(1)
  assert.deepEqual(conflict.states, ['V1 backup 1 conflict'])
  const it = conflict.stage.named('V1')
  assert.match(
    it.journal.why,
    /^another program removes 172\.16\.80\.100 again and again: resigned$/,
  )
  assert.equal(it.orders.zeroSent, 1)
  const given = conflict.stage.engine.standing.get(it.slot)?.order
  const adverts = (given?.now ?? []).flatMap((step) =>
    step.kind === 'datagram' ? [step.bytes] : [],
  )
  assert.deepEqual([...new Set(adverts.map((bytes) => bytes[2]))], [0], 'the priority')
  assert.deepEqual(conflict.stage.engine.held, [], 'the address is given up')
  const untilUs = it.deadlineAt(us(second)) ?? 0
  assert.equal(untilUs, 11 * second)
  conflict.at(untilUs - 1)
  assert.deepEqual(conflict.states, ['V1 backup 1 conflict'])
  conflict.at(untilUs)
  assert.deepEqual(conflict.states, ['V1 backup 150 -'])
})

test('slower removals, or report, or an owner: it stays master', () => {
  const slow = new Conflict(one())
  slow.remove(30, 1.2 * second)
  assert.deepEqual(slow.states, ['V1 master 150 -'])
  const told = new Conflict(one({ addressConflict: 'report' }))
  told.remove(30)
  assert.deepEqual(told.states, ['V1 master 150 -'])
  const owner = new Conflict(one({ priority: 255 }))
  owner.remove(30)
  assert.deepEqual(owner.states, ['V1 master 255 -'])
})

test('each time it happens again it stands by for longer', () => {
  const conflict = new Conflict(one())
  const waits: number[] = []
  for (let i = 0; i < 7; i++) {
    conflict.remove(10)
    const it = conflict.stage.named('V1')
    assert.equal(it.state.kind, 'backup')
    const untilUs = it.deadlineAt(us(conflict.stage.engine.time)) ?? 0
    waits.push((untilUs - conflict.stage.engine.time) / second)
    conflict.at(untilUs)
    conflict.expire()
  }
  assert.deepEqual(waits, [10, 20, 40, 80, 160, 300, 300])
})

test('no peer keeps the lead: it leads on with its own priority, and resigns no more for 300 s', () => {
  const conflict = new Conflict(one())
  conflict.remove(10)
  conflict.expire()
  assert.deepEqual(conflict.states, ['V1 master 150 -'])
  conflict.remove(200, second)
  conflict.remove(100)
  assert.deepEqual(conflict.states, ['V1 master 150 -'])
  assert.ok(conflict.stage.engine.held.length > 0, 'and goes on putting the address back')
  conflict.at(conflict.stage.engine.time + 100 * second)
  conflict.remove(10)
  assert.deepEqual(conflict.states, ['V1 backup 1 conflict'])
})

test('its sync group goes with it and comes back with it, also when the reload takes it out of the group', () => {
  const other = one({ name: 'V2', vrid: 52, addresses: [virtualAddress('172.16.80.101')] })
  const conflict = new Conflict(one(), other)
  const { stage } = conflict
  stage.apply(config([one(), other], [group]))
  stage.expireAll()
  assert.deepEqual(conflict.states, ['V1 master 150 -', 'V2 master 150 -'])
  conflict.remove(10)
  assert.deepEqual(conflict.states, ['V1 backup 1 conflict', 'V2 backup 1 conflict'])
  assert.equal(stage.named('V2').orders.zeroSent, 1)
  stage.apply(config([one(), other]))
  stage.settle()
  conflict.at(12 * second)
  assert.deepEqual(conflict.states, ['V1 backup 150 -', 'V2 backup 150 -'])
})

test('an instance whose partner is gone by a reload does not stand by for ever', () => {
  const other = one({ name: 'V2', vrid: 52, addresses: [virtualAddress('172.16.80.101')] })
  const conflict = new Conflict(one(), other)
  const { stage } = conflict
  stage.apply(config([one(), other], [group]))
  stage.expireAll()
  conflict.remove(10)
  stage.apply(config([other]))
  stage.settle()
  assert.deepEqual(conflict.states, ['V2 backup 150 -'])
})
