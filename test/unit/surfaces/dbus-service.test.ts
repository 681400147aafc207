/** The thread on the bus, with a bus and a daemon that the test plays: each way in which either can fail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../src/lab/wait.ts'
import type { StatusInstance } from '../../../src/report/status.ts'
import type { MemberTimes } from '../../../src/surfaces/dbus/membership.ts'
import type { DbusConfig, FromDbus, Outcome } from '../../../src/surfaces/dbus/messages.ts'
import { DbusService } from '../../../src/surfaces/dbus/service.ts'
import type { DbusMessage, DbusOutgoing } from '../../../src/wire/dbus-message.ts'
import type { DbusValue } from '../../../src/wire/dbus-values.ts'
import { aStatus } from '../cli/a-status.ts'
import { FakeBus } from './fake-bus.ts'

const soonMs = 20_000
/** Each deadline is one that a test waits for. */
const times: MemberTimes = { answerMs: 150, lookMs: 40, firstMs: 10, mostMs: 40, lastedMs: 5_000 }
const name = 'org.keepalived.Vrrp1'
const path = '/org/keepalived/Vrrp1/Instance/eth0/51/IPv4'
const vrrpPath = '/org/keepalived/Vrrp1/Vrrp'

class Daemon {
  readonly service = new DbusService((message) => this.#hear(message), times)
  readonly said: string[] = []
  readonly orders: Extract<FromDbus, { kind: 'order' }>[] = []
  unserved: string | null | undefined
  started = 0
  wants = 0
  outcome: Outcome | null = { ok: true }
  instances: readonly StatusInstance[] = [instance('VI_1', 'MASTER')]
  #number = 0

  serve(address: string, more: Partial<DbusConfig> = {}): void {
    const config = { address, name, noInterface: 'none', within: [], ...more }
    this.service.take({ kind: 'serve', config, started: false })
  }

  transition(to: string, removal: 'DELETED' | 'FAULT' | null = null, of = 'VI_1'): void {
    const entry = { at: '2026-11-28T06:00:00.000Z', from: 'BACKUP', to, why: 'a reason' } as const
    const what = { ...entry, instance: of, cause: 'timeout' } as const
    this.service.take({ kind: 'transition', what, removal })
  }

  tell(): void {
    const { instances: _all, ...rest } = aStatus
    const number = ++this.#number
    this.service.take({ kind: 'instances', number, some: this.instances })
    this.service.take({ kind: 'status', number, rest })
  }

  get number(): number {
    return this.#number
  }

  #hear(message: FromDbus): void {
    if (message.kind === 'say') this.said.push(message.text)
    if (message.kind === 'unserved') this.unserved = message.why
    if (message.kind === 'started') this.started += 1
    if (message.kind === 'want') {
      this.wants += 1
      setImmediate(() => this.tell())
    }
    if (message.kind === 'order') {
      this.orders.push(message)
      const { outcome } = this
      if (outcome !== null)
        setImmediate(() => this.service.take({ kind: 'done', id: message.id, outcome }))
    }
  }
}

const [first] = aStatus.instances

function instance(
  name_: string,
  state: StatusInstance['state'],
  more: Partial<StatusInstance> = {},
): StatusInstance {
  assert.ok(first !== undefined)
  return { ...first, name: name_, vrid: 51, interface: 'eth0', family: 4, state, ...more }
}

async function onBus(act: (daemon: Daemon, bus: FakeBus) => Promise<void>): Promise<void> {
  const bus = new FakeBus()
  const daemon = new Daemon()
  await bus.open()
  try {
    await act(daemon, bus)
  } finally {
    await daemon.service.close(false)
    await bus.close()
  }
}

const isServed = (daemon: Daemon): Promise<boolean> =>
  until('it is served', soonMs, () => daemon.unserved === null)

const saysWhy = async (daemon: Daemon, why: RegExp): Promise<void> => {
  await until(`it says ${why}; now ${daemon.unserved}`, soonMs, () =>
    why.test(daemon.unserved ?? ''),
  )
}

let serial = 0

/** The answer of the service to a call of another process. */
async function ask(
  bus: FakeBus,
  call: Omit<DbusOutgoing, 'serial' | 'kind'>,
): Promise<DbusMessage> {
  const from = bus.heard.length
  serial += 1
  bus.send({ kind: 'call', sender: `:1.${serial}`, ...call })
  return await until('an answer', soonMs, () =>
    bus.heard.slice(from).find(({ destination }) => destination === `:1.${serial}`),
  )
}

const get = (property: string): Omit<DbusOutgoing, 'serial' | 'kind'> => ({
  ...{ path, interface: 'org.freedesktop.DBus.Properties', member: 'Get', signature: 'ss' },
  body: ['org.keepalived.Vrrp1.Instance', property],
})

test('served: the start and the state are told, then each change, then the end', () =>
  onBus(async (daemon, bus) => {
    daemon.serve(bus.address)
    await isServed(daemon)
    await until('the state is told', soonMs, () => bus.signals.length >= 2)
    assert.equal(daemon.started, 1)
    daemon.transition('FAULT')
    daemon.transition('STOPPED')
    await daemon.service.close(true)
    await until('the end is told', soonMs, () => bus.signals.includes('VrrpStopped'))
    assert.deepEqual(bus.signals, [
      'VrrpStarted',
      'VrrpStatusChange 2',
      'VrrpStatusChange 3',
      'VrrpStatusChange 98',
      'VrrpStopped',
    ])
    const changed = bus.heard.filter(({ member }) => member === 'PropertiesChanged').at(-1)
    assert.deepEqual(changed?.body, [
      'org.keepalived.Vrrp1.Instance',
      [['State', { signature: '(us)', value: [98, 'Stop'] }]],
      [],
    ])
  }))

const failures: readonly (readonly [string, FakeBus['behaviour'], RegExp])[] = [
  ['refuses the user', { greeting: 'REJECTED EXTERNAL\r\n' }, /does not let this user in/],
  ['is no bus', { greeting: 'HTTP/1.1 400 Bad Request\r\n' }, /is no D-Bus/],
  ['sends a line without end', { greeting: 'x'.repeat(2_000) }, /is no D-Bus/],
  ['says nothing at all', { greeting: '' }, /has not answered within 0.15 s/],
  ['does not answer Hello', { mute: ['Hello'] }, /has not answered within 0.15 s/],
  ['does not answer for the name', { mute: ['RequestName'] }, /has not answered within 0.15 s/],
  [
    'has no policy for the name',
    { denies: true },
    /the policy of the bus does not let this process/,
  ],
]

for (const [what, behaviour, why] of failures) {
  test(`a bus that ${what}: said once, tried again, served once it is well`, () =>
    onBus(async (daemon, bus) => {
      bus.behaviour = behaviour
      daemon.serve(bus.address)
      await saysWhy(daemon, why)
      await until('it is tried again', soonMs, () => bus.connections >= 3)
      assert.deepEqual(daemon.said.filter((it) => why.test(it)).length, 1, daemon.said.join('\n'))
      bus.behaviour = {}
      await isServed(daemon)
      assert.equal(daemon.said.at(-1), `D-Bus: served as ${name} at ${bus.address}`)
    }))
}

test('a bus that answers no more is left; one that has ended is found again; both start nothing anew', () =>
  onBus(async (daemon, bus) => {
    daemon.serve(bus.address)
    await isServed(daemon)
    bus.behaviour = { mute: ['Ping'] }
    await saysWhy(daemon, /has not answered within/)
    bus.behaviour = {}
    await isServed(daemon)
    await bus.end()
    await saysWhy(daemon, /has closed the connection|ECONNREFUSED|ENOENT/)
    // What changed meanwhile is told when the bus is back, what did not is not.
    daemon.transition('FAULT')
    await bus.open()
    await isServed(daemon)
    await until('the change is told', soonMs, () => bus.signals.length >= 3)
    assert.deepEqual(bus.signals, ['VrrpStarted', 'VrrpStatusChange 2', 'VrrpStatusChange 3'])
    assert.equal(daemon.started, 1)
  }))

test('octets that are no message end the connection, a message that makes no sense does not', () =>
  onBus(async (daemon, bus) => {
    daemon.serve(bus.address)
    await isServed(daemon)
    // A signal without a member.
    bus.sendOctets(Buffer.from('6c040101000000000100000000000000', 'hex'))
    assert.equal((await ask(bus, get('State'))).kind, 'return')
    assert.equal(bus.connections, 1)
    bus.sendOctets(Buffer.from('00'.repeat(16), 'hex'))
    await until('another connection', soonMs, () => bus.connections >= 2)
    await isServed(daemon)
  }))

test('a name that another process has: said with its number, ours when the bus says so, and lost again', () =>
  onBus(async (daemon, bus) => {
    bus.behaviour = { claim: 2 }
    daemon.serve(bus.address)
    await saysWhy(daemon, /the name belongs to process 4711; vipd is next/)
    assert.deepEqual(bus.signals, [])
    const signal = { kind: 'signal', path: '/org/freedesktop/DBus' } as const
    const ofBus = { ...signal, interface: 'org.freedesktop.DBus', signature: 's', body: [name] }
    // Not the bus itself.
    bus.send({ ...ofBus, member: 'NameAcquired', sender: ':1.66' })
    bus.send({ ...ofBus, member: 'NameAcquired', body: [':1.7'] })
    bus.send({ ...ofBus, member: 'NameAcquired' })
    await isServed(daemon)
    assert.equal(bus.connections, 1)
    bus.send({ ...ofBus, member: 'NameLost' })
    await until('it asks again', soonMs, () => bus.connections === 2)
  }))

test('orders: from root, carried out and answered; refused, they are errors with the reason', () =>
  onBus(async (daemon, bus) => {
    daemon.serve(bus.address)
    await isServed(daemon)
    const of = 'org.keepalived.Vrrp1.Vrrp'
    const members = ['ReloadConfig', 'PrintData', 'PrintStats', 'PrintStatsClear']
    for (const member of members)
      assert.equal((await ask(bus, { path: vrrpPath, interface: of, member })).kind, 'return')
    // Without an interface the method alone is looked for.
    assert.equal((await ask(bus, { path, member: 'SendGarp' })).kind, 'return')
    assert.deepEqual(
      daemon.orders.map(({ order }) => order),
      [
        { verb: 'reload' },
        { verb: 'dump', what: 'data' },
        { verb: 'dump', what: 'stats' },
        { verb: 'dump', what: 'clear' },
        { verb: 'announce', instance: 'VI_1' },
      ],
    )
    assert.match(daemon.orders[0]?.by ?? '', /^uid 0 \(:1\.\d+\)$/)

    daemon.outcome = { ok: false, why: 'VI_1 is BACKUP here' }
    const refused = await ask(bus, { path, member: 'SendGarp' })
    assert.deepEqual(
      [refused.errorName, refused.body],
      ['org.freedesktop.DBus.Error.Failed', ['VI_1 is BACKUP here']],
    )
    bus.behaviour = { uid: 65_534 }
    const asked = daemon.orders.length
    const denied = await ask(bus, { path, member: 'SendGarp' })
    assert.equal(denied.errorName, 'org.freedesktop.DBus.Error.AccessDenied')
    // A caller that has gone, or a bus that does not say who it is: nothing is done for an unknown one.
    bus.behaviour = { mute: ['GetConnectionUnixUser'] }
    bus.send({ kind: 'call', path, member: 'SendGarp', sender: ':1.999' })
    await ask(bus, get('State'))
    assert.equal(daemon.orders.length, asked)
  }))

test('so many orders wait, and no more; a caller that wants no answer gets none', () =>
  onBus(async (daemon, bus) => {
    daemon.serve(bus.address)
    await isServed(daemon)
    daemon.outcome = null
    const call = { kind: 'call', path, member: 'SendGarp', noReply: true } as const
    for (let i = 0; i < 16; i += 1) bus.send({ ...call, sender: ':1.500' })
    await until('they are with the daemon', soonMs, () => daemon.orders.length === 16)
    const more = await ask(bus, { path, member: 'SendGarp' })
    assert.equal(more.errorName, 'org.freedesktop.DBus.Error.LimitsExceeded')
    for (const { id } of daemon.orders)
      daemon.service.take({ kind: 'done', id, outcome: { ok: true } })
    assert.equal((await ask(bus, get('State'))).kind, 'return')
    assert.equal(
      bus.heard.some(({ destination }) => destination === ':1.500'),
      false,
    )
  }))

test('arguments that are too large, or of other types, are errors; nothing breaks', () =>
  onBus(async (daemon, bus) => {
    daemon.serve(bus.address)
    await isServed(daemon)
    const error = async (signature: string, body: readonly DbusValue[]) =>
      (await ask(bus, { ...get('State'), signature, body })).errorName
    const prefix = 'org.freedesktop.DBus.Error'
    assert.equal(await error('ss', ['x'.repeat(70_000), 'y']), `${prefix}.LimitsExceeded`)
    assert.equal(await error('s', ['x']), `${prefix}.InvalidArgs`)
    assert.equal(await error('ss', ['x', 'y']), `${prefix}.InvalidArgs`)
    assert.equal((await ask(bus, get('State'))).kind, 'return')
    assert.equal(bus.connections, 1)
  }))

test('while the deciding part stands still no state is told as if it held', async (t) => {
  await onBus(async (daemon, bus) => {
    daemon.serve(bus.address)
    await isServed(daemon)
    const now = performance.now()
    const clock = t.mock.method(performance, 'now', () => now + 6_000)
    const stale = await ask(bus, get('State'))
    assert.equal(stale.errorName, 'org.freedesktop.DBus.Error.Failed')
    assert.match(String(stale.body?.[0]), /the deciding part of the daemon does not answer/)
    daemon.service.take({ kind: 'ping' })
    const fresh = await ask(bus, get('State'))
    assert.deepEqual(fresh.body, [{ signature: '(us)', value: [2, 'Master'] }])
    clock.mock.restore()
  })
})

test('a reload: what leaves is told with its word, what is new is there before the reload is told', () =>
  onBus(async (daemon, bus) => {
    daemon.instances = [instance('VI_1', 'MASTER'), instance('VI_2', 'BACKUP', { vrid: 52 })]
    daemon.serve(bus.address)
    await isServed(daemon)
    await until('both are told', soonMs, () => bus.signals.length === 3)
    daemon.transition('STOPPED', 'DELETED', 'VI_2')
    // A status that was begun before knows nothing of it.
    const after = daemon.number + 1
    daemon.service.take({ kind: 'reloaded', after })
    await until('a status of before has come', soonMs, () => daemon.number === after)
    daemon.instances = [instance('VI_1', 'MASTER'), instance('VI_3', 'BACKUP', { vrid: 53 })]
    assert.equal(bus.signals.includes('VrrpReloaded'), false)
    daemon.tell()
    await until('the reload is told', soonMs, () => bus.signals.includes('VrrpReloaded'))
    assert.deepEqual(bus.signals.slice(3), [
      'VrrpStatusChange 97',
      'VrrpStatusChange 1',
      'VrrpReloaded',
    ])
    const gone = await ask(bus, { ...get('State'), path: path.replace('51', '52') })
    assert.equal(gone.errorName, 'org.freedesktop.DBus.Error.UnknownMethod')
  }))

test('an instance that is not known yet is asked for, and told with the state it has then', () =>
  onBus(async (daemon, bus) => {
    daemon.instances = []
    daemon.serve(bus.address)
    await isServed(daemon)
    daemon.instances = [instance('VI_1', 'BACKUP')]
    daemon.transition('BACKUP')
    await until('its state is told', soonMs, () => bus.signals.includes('VrrpStatusChange 1'))
  }))

test('another name, or another bus: the old one is left and the new one is told all', () =>
  onBus(async (daemon, bus) => {
    daemon.serve(bus.address)
    await isServed(daemon)
    await until('the state is told', soonMs, () => bus.signals.length === 2)
    daemon.serve(bus.address, { name: 'org.example.Second' })
    await until('the state is told again', soonMs, () => bus.signals.length >= 3)
    const names = bus.heard.flatMap(({ member, body }) =>
      member === 'RequestName' ? [body?.[0]] : [],
    )
    assert.deepEqual(names, [name, 'org.example.Second'])
  }))

test('an address that is no Unix socket is said, and a second one is tried', () =>
  onBus(async (daemon, bus) => {
    daemon.serve('tcp:host=127.0.0.1,port=1')
    await saysWhy(daemon, /tcp:host=127\.0\.0\.1,port=1 names no Unix socket/)
    for (const none of [`unix:path=/${'x'.repeat(300)}`, 'unix:path=/a%00b']) {
      daemon.serve(none)
      await saysWhy(daemon, new RegExp(`is not served at ${none}: .`))
    }
    daemon.serve(`tcp:host=127.0.0.1,port=1;unix:path=/nowhere/bus;${bus.address}`)
    await isServed(daemon)
  }))
