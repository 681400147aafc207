/** vipd as a subagent of Debian's snmpd: walked and asked, notifications, restarts, a snmpd that hangs, a thousand instances. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Child } from '../../src/lab/child.ts'
import type { Host } from '../../src/lab/host.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import type { Status } from '../../src/report/status.ts'
import { inLab } from '../e2e/pair.ts'
import {
  agentSocket,
  bulkWalk,
  get,
  getNext,
  mibs,
  set,
  startSnmpd,
  startTrapd,
  tryGet,
  type Walk,
} from './net-snmp.ts'

const soonMs = 60_000
const K = mibs.keepalived

const globals = `script_user root
  router_id lab
  enable_snmp_vrrp
  enable_snmp_rfc
  enable_traps
  snmp_socket unix:${agentSocket}`

/** Two instances in a group, one of version 2, and one of IPv6. */
const config = (priority: number) => `global_defs {
  ${globals}
}
vrrp_script good {
  script /bin/true
  interval 1
  weight 5
}
track_file held {
  file /run/lab/held
  weight 1
}
vrrp_sync_group G {
  group {
    V2
    V3
  }
}
vrrp_instance V2 {
  interface eth0
  virtual_router_id 51
  version 2
  priority ${priority}
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass lab
  }
  virtual_ipaddress {
    172.16.90.100/24 dev eth0 label eth0:1
    172.16.90.101
  }
  virtual_ipaddress_excluded {
    172.16.90.102
  }
}
vrrp_instance V3 {
  interface eth0
  virtual_router_id 52
  version 3
  priority ${priority}
  advert_int 0.2
  notify_master "/bin/true master"
  virtual_ipaddress {
    172.16.90.110/24
  }
}
vrrp_instance V6 {
  state MASTER
  interface eth0
  virtual_router_id 53
  version 3
  priority ${priority}
  advert_int 0.2
  track_script {
    good
  }
  track_file {
    held
  }
  virtual_ipaddress {
    fe80::90:1
    fd90::1/64
  }
}
`

/** Once it answers. */
const started = (vipd: Vipd) =>
  until('it answers', soonMs, async () => {
    if (vipd.child.exit !== null) throw new Error(`${vipd.child.name} has ended`)
    return (await vipd.ask('status', '--json')).stdout !== ''
  })

const served = (vipd: Vipd) =>
  until('SNMP is served', soonMs, async () => {
    const { warnings } = await vipd.status()
    const isServed = /SNMP: served through/.test(vipd.child.text)
    return isServed && !warnings.some((it) => it.startsWith('SNMP'))
  })

const fullStatus = async (vipd: Vipd): Promise<Status> => (await vipd.status()) as unknown as Status

const text = (value: string | undefined) => /^STRING: "(.*)"$/.exec(value ?? '')?.[1]
const number = (value: string | undefined) =>
  Number(/^\w+: \(?(-?\d+)/.exec(value ?? '')?.[1] ?? Number.NaN)

/** Of the column: its values by the index that follows. */
const columnOf = (walk: Walk, column: string): ReadonlyMap<string, string> =>
  new Map(
    [...walk].flatMap(([name, value]) =>
      name.startsWith(`${column}.`) ? [[name.slice(column.length + 1), value] as const] : [],
    ),
  )

const stateNumbers = { INIT: 0, BACKUP: 1, MASTER: 2, FAULT: 3, STOP: 5 }

/** What both say at the same moment. */
function compare(walk: Walk, status: Status): void {
  const of = (column: string) => [...columnOf(walk, `${K}.2.${column}`).values()]
  assert.deepEqual(
    of('3.1.2').map(text),
    status.instances.map(({ name }) => name),
  )
  const numbers = (column: string) => of(column).map(number)
  assert.deepEqual(
    numbers('3.1.3'),
    status.instances.map(({ vrid }) => vrid),
  )
  assert.deepEqual(
    numbers('3.1.4'),
    status.instances.map(({ state }) => stateNumbers[state]),
  )
  assert.deepEqual(
    numbers('3.1.7'),
    status.instances.map(({ basePriority }) => basePriority),
  )
  assert.deepEqual(
    numbers('3.1.8'),
    status.instances.map(({ effectivePriority }) => effectivePriority),
  )
  assert.deepEqual(
    numbers('6.1.10'),
    status.instances.flatMap(({ addresses }) => addresses.map(({ present }) => (present ? 1 : 2))),
  )
  assert.deepEqual(
    of('9.1.2').map(text),
    status.checks.flatMap(({ name }) => (name.includes('/') ? [] : [name])),
  )
  assert.deepEqual(
    of('1.1.2').map(text),
    status.groups.map(({ name }) => name),
  )
}

/** What is walked may be a second old: it is asked again until both agree. */
async function agrees(host: Host, vipd: Vipd): Promise<Walk> {
  let why: unknown = null
  const walk = await until('the walk agrees with the status', soonMs, async () => {
    try {
      const found = await bulkWalk(host, K)
      compare(found, await fullStatus(vipd))
      return found
    } catch (error) {
      why = error
      return null
    }
  }).catch(() => null)
  if (walk === null) throw why
  return walk
}

async function leads(vipd: Vipd): Promise<void> {
  await until('it leads everywhere', soonMs, async () => {
    const { instances } = await vipd.status()
    return instances.every(({ state }) => state === 'MASTER')
  })
}

/** snmpd has heard of the end of the subagent. */
const notServed = (host: Host, name: string) =>
  until(`${name} is not served any more`, soonMs, async () =>
    (await tryGet(host, name))?.startsWith('No Such Object'),
  )

/** Notifications as snmptrapd wrote them: the kind, and the values behind it. */
const notifications = (trapd: Child): readonly string[] =>
  trapd.output.items.flatMap(({ text: line }) => {
    const [, kind, rest = ''] =
      /\.1\.3\.6\.1\.6\.3\.1\.1\.4\.1\.0 = OID: \.(\S+)(.*)/.exec(line) ?? []
    const values = rest.split('\t').map((it) => it.replace(/^.* = /, '').trim())
    return kind === undefined ? [] : [[kind, ...values.filter((it) => it !== '')].join(' ')]
  })

test('a pair is walked, asked, and tells its fail-over', () =>
  inLab('snmp', async (lab) => {
    const [one, two] = await Promise.all(
      [1, 2].map((n) => lab.host(`h${n}`, { addresses: { eth0: [`172.16.90.${n}/24`] } })),
    )
    assert.ok(one !== undefined && two !== undefined)
    for (const host of [one, two]) host.write('/run/lab/held', '7')
    await startSnmpd(one)
    const trapd = await startTrapd(one)
    const peer = startVipd(two, config(200))
    await started(peer)
    await leads(peer)
    const vipd = startVipd(one, config(100))
    await started(vipd)
    await served(vipd)

    const walk = await agrees(one, vipd)
    assert.equal(text(walk.get(`${K}.1.2.0`)), 'lab')
    assert.equal(number(walk.get(`${K}.2.13.1.4.1`)), 7)
    assert.equal(walk.get(`${K}.2.3.1.22.2`), `STRING: "'/bin/true' 'master'"`)
    assert.equal(walk.get(`${K}.2.6.1.9.1.1`), 'STRING: "eth0:1"')

    await wholeWalks(one)
    await rfcTables(one, await fullStatus(vipd))
    await refusals(one)
    await parallel(one, walk)

    // The peer dies: a backup leads, and says so.
    const seen = notifications(trapd).length
    await peer.kill()
    await leads(vipd)
    const told = (what: string) =>
      until('told', soonMs, () =>
        notifications(trapd)
          .slice(seen)
          .some((it) => it.startsWith(what)),
      ).catch(() => assert.fail(`${what} is not among\n${notifications(trapd).join('\n')}`))
    await told(`${K}.2.10.0.2 STRING: "V2" INTEGER: 2 INTEGER: 1 STRING: "lab"`)
    await told(`${K}.2.10.0.2 STRING: "V6" INTEGER: 2 INTEGER: 2 STRING: "lab"`)
    await told(`${K}.2.10.0.1 STRING: "G" INTEGER: 2 STRING: "lab"`)
    await told('1.3.6.1.2.1.68.0.1 IpAddress: 172.16.90.1')
    await told('1.3.6.1.2.1.207.0.1 Hex-STRING: AC 10 5A 01 INTEGER: ')
    await agrees(one, vipd)

    // The last words of an orderly stop.
    await vipd.stop()
    await told(`${K}.2.10.0.2 STRING: "V3" INTEGER: 5`)
    await told(`${K}.2.10.0.1 STRING: "G" INTEGER: 5`)
    await notServed(one, `${K}.2.3.1.2.1`)
  }))

/** One next after the other finds what the bulk walk found, in order. */
async function wholeWalks(host: Host): Promise<void> {
  for (const subtree of [`${K}.2.1`, `${K}.2.6`, mibs.rfc2787]) {
    const bulk = [...(await bulkWalk(host, subtree)).keys()]
    const found: string[] = []
    for (let at: string = subtree; ; ) {
      const [next = ''] = (await getNext(host, at)).keys()
      if (!next.startsWith(`${subtree}.`)) break
      found.push(next)
      at = next
    }
    assert.deepEqual(found, bulk, subtree)
  }
}

async function rfcTables(host: Host, status: Status): Promise<void> {
  const links = JSON.parse(await host.must('ip', ['-j', 'link', 'show', 'eth0']))
  const { ifindex } = (links as readonly { readonly ifindex: number }[])[0] ?? { ifindex: 0 }
  const oper = `${mibs.rfc2787}.1.3.1`
  // The last that is heard: a master of version 2 speaks each second, and a walk may be a second old.
  await until('the master is heard, and told', soonMs, async () => {
    return (await tryGet(host, `${oper}.7.${ifindex}.51`)) === 'IpAddress: 172.16.90.2'
  })
  const v2 = await bulkWalk(host, mibs.rfc2787)
  const v3 = await bulkWalk(host, mibs.rfc6527)
  assert.deepEqual([...columnOf(v2, `${oper}.3`).keys()], [`${ifindex}.51`])
  assert.equal(v2.get(`${oper}.8.${ifindex}.51`), 'IpAddress: 172.16.90.1')
  assert.equal(v2.get(`${oper}.9.${ifindex}.51`), 'INTEGER: 2')
  assert.deepEqual(
    [...columnOf(v2, `${mibs.rfc2787}.1.4.1.2`).keys()],
    [`${ifindex}.51.172.16.90.100`, `${ifindex}.51.172.16.90.101`],
  )
  const operations = `${mibs.rfc6527}.1.1.1.1`
  assert.deepEqual(
    [...columnOf(v3, `${operations}.6`)],
    status.instances.map(({ vrid, family }) => [
      `${ifindex}.${vrid}.${family === 4 ? 1 : 2}`,
      'INTEGER: 2',
    ]),
  )
  const received = number(v3.get(`${mibs.rfc6527}.1.2.5.1.3.${ifindex}.52.1`))
  assert.ok(received > 0, `${received} adverts received`)
  const upTime = number(v2.get(`${oper}.13.${ifindex}.51`))
  const sysUpTime = number([...(await get(host, '1.3.6.1.2.1.1.3.0')).values()][0])
  assert.ok(upTime > 0 && upTime < sysUpTime, `${upTime} of ${sysUpTime}`)
}

async function refusals(host: Host): Promise<void> {
  const { status, stderr } = await set(host, `${K}.2.3.1.7.1`, 1)
  assert.equal(status, 2)
  assert.match(stderr, /notWritable/)
  const names = [`${K}.2.3.1.2.9`, `${K}.2.7.1.2.1`]
  const missing = await get(host, ...names)
  assert.deepEqual(
    names.map((name) => missing.get(name)?.slice(0, 16)),
    ['No Such Instance', 'No Such Object a'],
  )
}

/** Many at once, and many objects in one request: none is lost. */
async function parallel(host: Host, walk: Walk): Promise<void> {
  const columns = [2, 3, 4, 5, 7, 10, 11, 12, 13, 19, 20, 28, 30]
  const names = columns.flatMap((column) => [1, 2, 3].map((row) => `${K}.2.3.1.${column}.${row}`))
  const [values, ...walks] = await Promise.all([
    get(host, ...names),
    ...Array.from({ length: 8 }, () => bulkWalk(host, K)),
  ])
  assert.deepEqual(
    names.map((name) => values.get(name)),
    names.map((name) => walk.get(name)),
  )
  for (const other of walks) assert.deepEqual([...other.keys()], [...walk.keys()])
}

test('a snmpd that is absent, killed and restarted, hangs; SNMP switched off and on by a reload', () =>
  inLab('snmpd-gone', async (lab) => {
    const host = await lab.host('h1', { addresses: { eth0: ['172.16.90.1/24'] } })
    host.write('/run/lab/held', '0')
    const vipd = startVipd(host, config(100))
    await started(vipd)
    const warned = (what: RegExp) =>
      until(`the status warns: ${what}`, soonMs, async () =>
        (await vipd.status()).warnings.some((it) => what.test(it)),
      )
    await warned(/^SNMP: nothing is served through \S+: there is no such socket/)
    const snmpd = await startSnmpd(host)
    const trapd = await startTrapd(host)
    await served(vipd)
    await leads(vipd)
    assert.equal(text([...(await get(host, `${K}.1.2.0`)).values()][0]), 'lab')

    // Killed: what happens meanwhile is told by the next one.
    await snmpd.signal('SIGKILL')
    await snmpd.ended(soonMs)
    await warned(/^SNMP: nothing is served/)
    await host.must('ip', ['link', 'set', 'eth0', 'down'])
    await until('it is in FAULT', soonMs, async () =>
      (await vipd.status()).instances.every(({ state }) => state === 'FAULT'),
    )
    const next = await startSnmpd(host)
    await served(vipd)
    await until('the fault is told', soonMs, () =>
      notifications(trapd).some((it) => it.startsWith(`${K}.2.10.0.2 STRING: "V3" INTEGER: 3`)),
    )
    await agrees(host, vipd)

    // Stopped in its tracks: noticed, said, and served again when it goes on.
    await next.signal('SIGSTOP')
    await warned(/no answer for 15 s/)
    await host.must('ip', ['link', 'set', 'eth0', 'up'])
    await leads(vipd)
    await next.signal('SIGCONT')
    await served(vipd)
    await agrees(host, vipd)

    // Without SNMP in the file nothing is served any more; with it everything is.
    vipd.configure(config(100).replace(/enable_snmp_\w+\n/g, '\n'))
    assert.equal((await vipd.tryReload()).status, 0)
    await notServed(host, `${K}.1.2.0`)
    vipd.configure(config(100).replace('router_id lab', 'router_id other'))
    assert.equal((await vipd.tryReload()).status, 0)
    await until(
      'the new configuration is served',
      soonMs,
      async () => text((await tryGet(host, `${K}.1.2.0`)) ?? '') === 'other',
    )
  }))
