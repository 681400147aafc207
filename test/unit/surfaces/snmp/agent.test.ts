/** The subagent between a daemon and a master agent that the test plays: sessions, requests, notifications, losses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noSnmp, type SnmpConfig } from '../../../../src/config/snmp.ts'
import { until } from '../../../../src/lab/wait.ts'
import type { Transition } from '../../../../src/report/status.ts'
import { SnmpAgent } from '../../../../src/surfaces/snmp/agent.ts'
import type { FromSnmp, News } from '../../../../src/surfaces/snmp/messages.ts'
import type { AgentxPdu } from '../../../../src/wire/agentx.ts'
import { oid, oidText } from '../../../../src/wire/oid.ts'
import { aStatus } from '../../cli/a-status.ts'
import { mibHost, mibInstances, mibSettings, shown } from './facts.ts'
import { Master } from './master.ts'

const soonMs = 20_000
const K = '1.3.6.1.4.1.9586.100.5'

class Daemon {
  readonly master = new Master()
  readonly said: string[] = []
  readonly agent = new SnmpAgent((message) => this.#hear(message))
  unserved: readonly string[] = []
  wants = 0
  silent = false
  configured = true
  #number = 0

  serve(config: Partial<SnmpConfig>): void {
    const socket = { kind: 'unix', path: this.master.path } as const
    this.agent.take({ kind: 'serve', config: { ...noSnmp, socket, ...config } })
  }

  served(times = 1): Promise<unknown> {
    const isServed = () => this.said.filter((it) => it.startsWith('SNMP: served')).length >= times
    return until('it is served', soonMs, () => isServed() && this.unserved.length === 0)
  }

  tell(status = aStatus): void {
    const { instances, ...rest } = status
    const number = ++this.#number
    if (this.configured) {
      this.agent.take({ kind: 'settings', settings: mibSettings })
      for (const it of mibInstances) this.agent.take({ kind: 'configured', some: [it] })
    }
    for (const it of instances) this.agent.take({ kind: 'instances', number, some: [it] })
    this.agent.take({ kind: 'host', host: mibHost })
    this.agent.take({ kind: 'status', number, rest })
  }

  #hear(message: FromSnmp): void {
    if (message.kind === 'say') this.said.push(message.text)
    if (message.kind === 'unserved') this.unserved = message.reasons
    if (message.kind === 'want') {
      this.wants += 1
      if (!this.silent) setImmediate(() => this.tell())
    }
  }
}

async function withMaster(act: (daemon: Daemon, master: Master) => Promise<void>): Promise<void> {
  const daemon = new Daemon()
  try {
    await act(daemon, daemon.master)
  } finally {
    await daemon.agent.close()
    await daemon.master.end()
  }
}

const kinds = (pdus: readonly AgentxPdu[]) =>
  pdus.map((it) => (it.kind === 'register' ? `register ${oidText(it.subtree)}` : it.kind))

test('a session: opened, registered, asked, closed', () =>
  withMaster(async (daemon, master) => {
    await master.start()
    daemon.serve({ keepalived: true, rfc2787: true, rfc6527: true })
    await daemon.served()
    assert.deepEqual(kinds(master.heard.items), [
      'open',
      `register ${K}.1`,
      `register ${K}.2`,
      'register 1.3.6.1.2.1.68',
      'register 1.3.6.1.2.1.207',
    ])
    const { error, bindings } = await master.get(`${K}.2.3.1.4.1`, `${K}.2.3.1.4.9`, `${K}.3.1`)
    assert.equal(error, 0)
    assert.deepEqual(
      bindings.map(({ value }) => shown(value)),
      ['integer 2', 'noSuchInstance', 'noSuchObject'],
    )
    await daemon.agent.close()
    await master.heard.next('the end', soonMs, ({ kind }) => kind === 'close')
  }))

test('requests that come in one piece are answered each', () =>
  withMaster(async (daemon, master) => {
    await master.start()
    daemon.serve({ keepalived: true })
    await daemon.served()
    const next = { kind: 'getNext', ranges: [{ start: oid(K), include: false, end: [] }] } as const
    const responses = await master.ask(...Array.from({ length: 200 }, () => next))
    for (const { bindings } of responses) assert.equal(bindings.length, 1)
    const testSet = { kind: 'testSet', bindings: responses[0]?.bindings ?? [] } as const
    const [refused] = await master.ask(testSet)
    assert.equal(refused?.error, 17)
  }))

test('a question waits for a fresh status, and is an error without one', () =>
  withMaster(async (daemon, master) => {
    await master.start()
    daemon.silent = true
    daemon.serve({ keepalived: true })
    await daemon.served()
    const asked = master.get(`${K}.1.2.0`)
    await until('a status is wanted', soonMs, () => daemon.wants > 1)
    daemon.tell()
    assert.deepEqual(
      (await asked).bindings.map(({ value }) => shown(value)),
      ['STRING "lb1"'],
    )
    // A status is good for a second.
    const stale = await until('the status is stale', soonMs, async () => {
      const { error } = await master.get(`${K}.1.2.0`)
      return error === 5
    })
    assert.equal(stale, true)
  }))

test('a master that is absent, comes, is restarted, and refuses', () =>
  withMaster(async (daemon, master) => {
    daemon.serve({ keepalived: true, rfc2787: true })
    await until('its absence is said', soonMs, () => daemon.unserved.length > 0)
    assert.match(
      daemon.unserved[0] ?? '',
      /^SNMP: nothing is served through \/.*: there is no such socket/,
    )
    await master.start()
    await daemon.served()
    assert.equal((await master.get(`${K}.1.2.0`)).error, 0)
    await master.stop()
    await until('its end is said', soonMs, () => daemon.unserved.length > 0)
    await master.start()
    await daemon.served(2)
    assert.equal((await master.get(`${K}.1.2.0`)).error, 0)
    // The same reason is said once, however often it is tried.
    const said = daemon.said.filter((it) => it.includes('no such socket'))
    assert.equal(said.length, 1, daemon.said.join('\n'))
    await master.stop()
    master.refuses.set('1.3.6.1.2.1.68', 263)
    await master.start()
    await until('the refusal is said', soonMs, () =>
      daemon.unserved.some((it) => it.includes('refuses 1.3.6.1.2.1.68: another subagent')),
    )
    assert.equal((await master.get(`${K}.1.2.0`)).error, 0)
  }))

test('octets that are no AgentX end the session, and the next one begins', () =>
  withMaster(async (daemon, master) => {
    await master.start()
    daemon.serve({ keepalived: true })
    await daemon.served()
    master.write(new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n        '))
    await master.heard.next('the end', soonMs, (it) => it.kind === 'close' && it.reason === 2)
    await daemon.served(2)
    assert.ok(daemon.said.some((it) => it.includes('what came is no AgentX (bad-version)')))
  }))

test('a session that the master does not know is none; another context has nothing', () =>
  withMaster(async (daemon, master) => {
    await master.start()
    daemon.serve({ keepalived: true })
    await daemon.served()
    const ranges = [{ start: oid(K), include: false, end: [] }]
    const [foreign] = await master.ask({ kind: 'get', ranges, ...{ session: 8 } })
    assert.equal(foreign?.error, 257)
    const context = new TextEncoder().encode('other')
    const [elsewhere] = await master.ask({ kind: 'get', ranges, ...{ context } })
    assert.equal(elsewhere?.error, 262)
    const [empty] = await master.ask({ kind: 'get', ranges, ...{ context: new Uint8Array() } })
    assert.equal(empty?.error, 0)
  }))

const transition = (instance: string, to: string, cause: Transition['cause']): News => ({
  kind: 'transition',
  transition: { instance, at: '2026-03-01T12:00:00Z', from: 'BACKUP', to, why: 'x', cause },
  silent: false,
  place: { ifindex: 2, source: '10.0.0.1' },
})

const notifications = (master: Master) =>
  master.heard.items.flatMap((it) =>
    it.kind === 'notify'
      ? [it.bindings.map(({ name, value }) => `${oidText(name)} ${shown(value)}`)]
      : [],
  )

const trapOid = '1.3.6.1.6.3.1.1.4.1.0 oid'

test('what happens is told, in order, when a session is there and the configuration known', () =>
  withMaster(async (daemon, master) => {
    daemon.configured = false
    daemon.serve({ keepalived: true, rfc2787: true, rfc6527: true, traps: true })
    daemon.agent.take({ kind: 'news', news: transition('VI_web', 'MASTER', 'timeout') })
    daemon.agent.take({ kind: 'news', news: { kind: 'group', name: 'VG', to: 'MASTER' } })
    await master.start()
    await daemon.served()
    assert.deepEqual(notifications(master), [])
    daemon.configured = true
    daemon.tell()
    await until('all is told', soonMs, () => notifications(master).length === 3)
    assert.deepEqual(notifications(master), [
      [
        `${trapOid} ${K}.2.10.0.2`,
        `${K}.2.3.1.2 STRING "VI_web"`,
        `${K}.2.3.1.4 integer 2`,
        `${K}.2.3.1.5 integer 2`,
        `${K}.1.2.0 STRING "lb1"`,
      ],
      [
        `${trapOid} 1.3.6.1.2.1.207.0.1`,
        '1.3.6.1.2.1.207.1.1.1.1.3.2.51.1 HEX 0a 00 00 01',
        '1.3.6.1.2.1.207.1.2.5.1.2.2.51.1 integer 3',
      ],
      [
        `${trapOid} ${K}.2.10.0.1`,
        `${K}.2.1.1.2 STRING "VG"`,
        `${K}.2.1.1.3 integer 2`,
        `${K}.1.2.0 STRING "lb1"`,
      ],
    ])
  }))

test('what is held back, and what nothing knows, is not told; a state is at once the new one', () =>
  withMaster(async (daemon, master) => {
    await master.start()
    daemon.serve({ keepalived: true, traps: true })
    await daemon.served()
    assert.equal((await master.get(`${K}.1.2.0`)).error, 0)
    daemon.silent = true
    const held = transition('VI_db', 'FAULT', 'faults')
    daemon.agent.take({ kind: 'news', news: { ...held, silent: true } as News })
    daemon.agent.take({ kind: 'news', news: { kind: 'group', name: 'VG', to: 'INIT' } })
    assert.deepEqual(
      (await master.get(`${K}.2.3.1.4.2`)).bindings.map(({ value }) => shown(value)),
      ['integer 3'],
    )
    daemon.silent = false
    daemon.agent.take({ kind: 'news', news: transition('VI_gone', 'BACKUP', 'start') })
    daemon.agent.take({ kind: 'news', news: transition('VI_db', 'BACKUP', 'recovered') })
    await until('it is told', soonMs, () => notifications(master).length > 0)
    assert.deepEqual(
      notifications(master).map(([, name]) => name),
      [`${K}.2.3.1.2 STRING "VI_db"`],
    )
  }))

test('what happens while the master is away is told when it is back; the last words leave at the end', () =>
  withMaster(async (daemon, master) => {
    await master.start()
    daemon.serve({ keepalived: true, traps: true })
    await daemon.served()
    daemon.tell()
    await master.stop()
    await until('its end is noticed', soonMs, () => daemon.unserved.length > 0)
    daemon.agent.take({ kind: 'news', news: transition('VI_web', 'MASTER', 'timeout') })
    await master.start()
    await until('it is told', soonMs, () => notifications(master).length === 1)
    daemon.agent.take({ kind: 'news', news: transition('VI_web', 'STOPPED', 'stop') })
    await daemon.agent.close()
    await master.heard.next('the end', soonMs, ({ kind }) => kind === 'close')
    assert.deepEqual(
      notifications(master).map((it) => it[2]),
      [`${K}.2.3.1.4 integer 2`, `${K}.2.3.1.4 integer 5`],
    )
    assert.ok(!daemon.said.some((it) => it.includes('lost')), daemon.said.join('\n'))
  }))

test('a master that hangs is given up', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  await withMaster(async (daemon, master) => {
    await master.start()
    master.hangs = true
    daemon.serve({ keepalived: true })
    const heard = () => master.heard.items.some(({ kind }) => kind === 'open')
    while (!heard()) await new Promise<void>((turned) => setImmediate(turned))
    context.mock.timers.tick(14_999)
    assert.deepEqual(daemon.unserved, [])
    context.mock.timers.tick(1)
    assert.match(daemon.unserved[0] ?? '', /no answer for 15 s$/)
    context.mock.timers.reset()
  })
})
