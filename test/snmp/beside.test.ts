/** The same file served by keepalived's subagent and by vipd's: what reads one reads the other. And a thousand instances. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostOn, manyInstances } from '../../bench/many-instances.ts'
import type { Child } from '../../src/lab/child.ts'
import type { Host } from '../../src/lab/host.ts'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { inLab } from '../e2e/pair.ts'
import { agentSocket, bulkWalk, mibs, startSnmpd, type Walk } from './net-snmp.ts'

const soonMs = 90_000
const K = mibs.keepalived

const config = `global_defs {
  script_user root
  enable_script_security
  router_id lab
  enable_snmp_vrrp
  enable_snmp_rfc
  enable_traps
  snmp_socket unix:${agentSocket}
}
vrrp_script good {
  script "/usr/bin/true x"
  interval 2
  weight 10
  rise 2
  fall 3
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
  notify "/usr/bin/true g"
}
vrrp_instance V2 {
  interface eth0
  virtual_router_id 51
  version 2
  priority 100
  advert_int 1
  preempt_delay 3
  authentication {
    auth_type PASS
    auth_pass lab
  }
  virtual_ipaddress {
    172.16.90.100/24 dev eth0 label eth0:1 brd 172.16.90.255
    172.16.90.101
  }
  virtual_ipaddress_excluded {
    172.16.90.102/32 scope link
  }
}
vrrp_instance V3 {
  interface eth0
  virtual_router_id 52
  version 3
  priority 100
  advert_int 0.5
  unicast_src_ip 172.16.90.1
  unicast_peer {
    172.16.90.9
  }
  virtual_ipaddress {
    172.16.90.110/24
  }
  notify_master "/usr/bin/true m"
  notify_stop /usr/bin/true
}
vrrp_instance V6 {
  state MASTER
  interface eth0
  virtual_router_id 53
  version 3
  priority 90
  advert_int 0.5
  track_interface {
    eth1 weight 7
  }
  track_script {
    good
  }
  track_file {
    held weight 2
  }
  virtual_ipaddress {
    fe80::90:1
    fd90::1/64
  }
}
`

/** Wherever they differ on purpose, or by time: docs/snmp.md. */
const differs: readonly RegExp[] = [
  // The version; without mail keepalived says that its server has an IPv6 address; IPVS is not vipd's.
  new RegExp(`^${K}\\.1\\.(1|3\\.1|3\\.8|3\\.9|3\\.10|7)\\.0$`),
  // Tracking of the interface, accept mode; what is advertised.
  new RegExp(`^${K}\\.2\\.3\\.1\\.(11|27)\\.`),
  new RegExp(`^${K}\\.2\\.6\\.1\\.11\\.`),
  // The weight that the instance gives it.
  new RegExp(`^${K}\\.2\\.12\\.1\\.3\\.`),
  // Its master’s address, and its time.
  new RegExp(`^${mibs.rfc2787}\\.1\\.3\\.1\\.(7|13)\\.`),
  new RegExp(`^${mibs.rfc6527}\\.(1\\.1\\.1\\.1\\.12\\.|1\\.2\\.4\\.0$|1\\.2\\.5\\.1\\.(2|12)\\.)`),
]
/** Which keepalived 2.2.7 has not. */
const added: readonly RegExp[] = [
  new RegExp(`^${K}\\.2\\.3\\.1\\.36\\.`),
  new RegExp(`^${K}\\.2\\.9\\.1\\.1[0-2]\\.`),
]

const all = async (host: Host): Promise<Walk> =>
  new Map(
    (await Promise.all(Object.values(mibs).map((subtree) => bulkWalk(host, subtree)))).flatMap(
      (walk) => [...walk],
    ),
  )

/** Every instance leads, and the script has succeeded often enough. */
async function settled(host: Host, daemon: Child): Promise<Walk> {
  await until('all lead', soonMs, async () => {
    if (daemon.exit !== null) throw new Error(`${daemon.name} has ended`)
    // A daemon that starts or stops answers some questions with an error.
    const walk = await all(host).catch(() => null)
    if (walk === null) return false
    const leads = (at: number) =>
      walk.get(`${K}.2.3.1.4.${at}`) === 'INTEGER: 2' &&
      walk.get(`${K}.2.3.1.9.${at}`) === 'INTEGER: 1'
    const isGood = walk.get(`${K}.2.9.1.6.1`) === 'INTEGER: 3'
    const isLed = [1, 2, 3].every(leads)
    return isGood && isLed
  })
  return await all(host)
}

test('keepalived and vipd tell the same of the same file, but for what the page names', () =>
  inLab('snmp-beside', async (lab) => {
    const host = await lab.host('h1', {
      addresses: { eth0: ['172.16.90.1/24'], eth1: ['172.16.91.1/24'] },
    })
    host.write('/run/lab/held', '3')
    await startSnmpd(host)
    const keepalived = startKeepalived(host, config)
    const theirs = await settled(host, keepalived.child)
    await keepalived.stop()
    const vipd = startVipd(host, config)
    const ours = await settled(host, vipd.child)
    await vipd.stop()
    const isDifferent = (name: string) => differs.some((it) => it.test(name))
    const wrong = [...theirs].filter(
      ([name, value]) => !isDifferent(name) && ours.get(name) !== value,
    )
    assert.deepEqual(
      wrong.map(([name, value]) => `${name}: ${value}, not ${ours.get(name)}`),
      [],
    )
    const more = [...ours.keys()].filter((name) => !theirs.has(name))
    assert.deepEqual(
      more.filter((name) => !added.some((it) => it.test(name))),
      [],
    )
    assert.ok(theirs.size > 150, `${theirs.size} objects`)
  }))

test('under keepalived’s name -x and -A switch it on', () =>
  inLab('snmp-keepalived', async (lab) => {
    const host = await lab.host('h1', { addresses: { eth0: ['172.16.90.1/24'] } })
    await startSnmpd(host)
    const plain = config.replace(/ *(enable_snmp_\w+|enable_traps|snmp_socket .*)\n/g, '')
    host.write('/run/lab/keepalived.conf', plain.replace(/ *track_interface \{[^}]*\}\n/, ''))
    const words = ['-n', '-l', '-x', '-A', `unix:${agentSocket}`, '-f', '/run/lab/keepalived.conf']
    host.write('/run/lab/held', '3')
    const child = host.spawn(process.execPath, [program('../cli/run.js'), 'keepalived', ...words], {
      name: 'vipd',
    })
    const walk = await settled(host, child)
    assert.equal(walk.get(`${K}.1.4.0`), 'INTEGER: 2')
    assert.equal(walk.get(`${mibs.rfc6527}.1.2.2.0`), 'Counter64: 0')
    await child.stop(20_000)
  }))

test('a thousand instances are walked, whole, and none moves meanwhile', () =>
  inLab('snmp-many', async (lab) => {
    const size = { instances: 1_000, addresses: 1, advertInt: 1 }
    const host = await hostOn(lab, 'one', 1, size)
    await startSnmpd(host)
    const globals = `global_defs {
  enable_snmp_vrrp
  enable_snmp_rfc
  snmp_socket unix:${agentSocket}
}
`
    const vipd = startVipd(host, `${globals}${manyInstances(150, size)}`)
    const moved = async () => {
      const status = await vipd.status().catch(() => null)
      const instances = status?.instances ?? []
      const lead = instances.filter(({ state }) => state === 'MASTER').length
      return { lead, transitions: instances.reduce((sum, it) => sum + it.transitions, 0) }
    }
    await until('all lead', 240_000, async () => (await moved()).lead === size.instances, 1_000)
    const before = await moved()
    const walk = await all(host)
    const rows = (column: string) =>
      [...walk.keys()].filter((name) => name.startsWith(`${column}.`)).length
    for (const column of [`${K}.2.3.1.2`, `${K}.2.6.1.3`, `${mibs.rfc6527}.1.1.1.1.6`])
      assert.equal(rows(column), size.instances, column)
    assert.deepEqual(await moved(), before)
  }))
