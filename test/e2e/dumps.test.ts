/** The dump files: keepalived's text for the same configuration, what exporters read from it, and who may read and write them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Daemon } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { readData, readStats } from './exporter.ts'
import { conf, inLab, start } from './pair.ts'

const soonMs = 30_000

/** One of everything that both have. `vrrp_higher_prio_send_advert`: the default differs. */
const config = (globals: string) => `global_defs {
  router_id lab
  script_user root
  enable_script_security
  vrrp_higher_prio_send_advert true
  vrrp_garp_master_refresh 60
  ${globals}
}
vrrp_script chk_ok {
  script "/usr/bin/true"
  interval 1
  fall 3
  rise 2
}
vrrp_script chk_bad {
  script "/usr/bin/false a"
  interval 1
  timeout 3
  weight -20 reverse
}
track_file tf {
  file /run/lab/track
  weight 1
}
vrrp_track_process proc_none {
  process "vipd-no-such"
  weight 5
  quorum 2
  delay 3
}
vrrp_sync_group G1 {
  group {
    VI_1
    VI_3
  }
  notify_master "/usr/bin/true x"
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  priority 100
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass 1111
  }
  virtual_ipaddress {
    172.16.80.100/24 dev eth0 label eth0:1
    172.16.80.101
  }
  track_script {
    chk_ok
  }
  track_interface {
    eth1
  }
}
vrrp_instance VI_2 {
  version 3
  interface eth0
  virtual_router_id 52
  priority 120
  advert_int 0.5
  preempt_delay 4
  garp_master_delay 1
  no_accept
  virtual_ipaddress {
    172.16.80.110/24
  }
  virtual_ipaddress_excluded {
    172.16.80.120/32
  }
  track_script {
    chk_bad
  }
  track_file {
    tf
  }
  track_process {
    proc_none
  }
  notify "/usr/bin/true n"
  notify_master "/usr/bin/true m"
  notify_backup "/usr/bin/true b"
  notify_fault "/usr/bin/true f"
  notify_stop "/usr/bin/true s"
  notify_deleted
  notify_master_rx_lower_pri "/usr/bin/true r"
}
vrrp_instance VI_3 {
  interface eth1
  virtual_router_id 53
  priority 100
  virtual_ipaddress {
    172.16.81.100/24
  }
}
vrrp_instance VI_6 {
  interface eth0
  virtual_router_id 61
  priority 90
  version 3
  advert_int 1
  unicast_src_ip fe80::10
  unicast_peer {
    fe80::20
  }
  virtual_ipaddress {
    fe80::61
    fd77::61/64
  }
}
`

/** The peer is master of VI_2, so that one instance is a backup; eth1 is down, so that two are in FAULT. */
async function setUp(lab: Lab): Promise<{ host: Host; peer: Daemon }> {
  const addresses = { eth0: ['172.16.80.2/24', 'fe80::10/64'], eth1: ['172.16.81.2/24'] }
  const host = await lab.host('one', { addresses })
  const other = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
  await host.must('ip', ['link', 'set', 'eth1', 'down'])
  host.write('/run/lab/track', '3\n')
  const more = { priority: 200, advertInt: 0.5, vip: '172.16.80.110/24' }
  const peer = start('keepalived', other, conf(more).replace('router_id 51', 'router_id 52'))
  await peer.reaches('VI_1', 'MASTER', soonMs)
  return { host, peer }
}

const signals = { data: 'USR1', stats: 'USR2', json: '36' } as const
type Files = Readonly<Record<keyof typeof signals, string>>

/** Signals one after the other, as an exporter does, and what appears. */
async function dumpsOf(host: Host, daemon: Daemon): Promise<Files> {
  const pid = await daemon.child.pid()
  const one = async (kind: keyof typeof signals): Promise<string> => {
    const path = `/tmp/keepalived.${kind}`
    await host.must('rm', ['-f', path])
    await host.sh(
      `kill -s ${signals[kind]} $(pidof ${pidName(daemon)} | tr ' ' '\\n' | sort -n | head -1)`,
    )
    assert.notEqual(pid, null)
    return until(`${path} is written`, soonMs, () => complete(kind, host.read(path)))
  }
  return { data: await one('data'), stats: await one('stats'), json: await one('json') }
}

const pidName = ({ kind }: Daemon): string => (kind === 'vipd' ? 'vipd' : 'keepalived')

/** keepalived writes in place: a file is whole when its end is there. */
function complete(kind: keyof Files, text: string | null): string | null {
  const end = {
    data: /\n------< Interfaces >[\s\S]*\n$/,
    stats: /Sent: \d+\n$/,
    json: /[\]}]\n?$/,
  }[kind]
  return text !== null && end.test(text) ? text : null
}

/** What differs from run to run, and descriptors, which vipd does not tell. */
const steady = (text: string): readonly string[] =>
  text
    .replaceAll(/\d{10}\.\d+ \(.*\)/g, 'INSTANT')
    .replaceAll(/ +fd_in \d+, fd_out \d+\n/g, '')
    .replace(/(Password = ).*/, '$1********')
    .split('\n')

function section(text: string, title: string): readonly string[] {
  const lines = steady(text)
  const from = lines.indexOf(`------< ${title} >------`)
  const length = lines.slice(from + 1).findIndex((line) => line.startsWith('------<'))
  return from < 0 ? [] : lines.slice(from, length < 0 ? undefined : from + 1 + length)
}

async function settled(daemon: Daemon): Promise<void> {
  await daemon.reaches('VI_6', 'MASTER', soonMs)
  assert.equal(daemon.state('VI_2'), 'BACKUP')
  assert.equal(daemon.state('VI_1'), 'FAULT')
}

describe('dump files', { concurrency: 2 }, () => {
  test('the text is keepalived’s for the same configuration', () =>
    inLab('dumps', async (lab) => {
      const { host } = await setUp(lab)
      const real = start('keepalived', host, config(''))
      await settled(real)
      const theirs = await dumpsOf(host, real)
      await real.stop()
      const vipd = startVipd(host, config('vipd_dumps /tmp'))
      await settled(vipd)
      const ours = await dumpsOf(host, vipd)
      const titles = ['Topology', 'Sync groups', 'Scripts', 'Track files', 'Track processes']
      for (const title of titles.map((name) => `VRRP ${name}`))
        assert.deepEqual(section(ours.data, title), section(theirs.data, title))
      const names = (text: string) => steady(text).map((line) => line.replace(/\d+$/, 'N'))
      assert.deepEqual(names(ours.stats), names(theirs.stats))
      assert.deepEqual(jsonWithoutCounts(ours.json), jsonWithoutCounts(theirs.json))
      exporterReads(ours)
      exporterReads(theirs)
    }))

  test('mode 0600, beside and renamed: no symbolic link is written through; only where the configuration asks', () =>
    inLab('dumpfile', async (lab) => {
      const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      const daemon = startVipd(host, conf({ priority: 100 }))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await daemon.child.signal('SIGUSR1')
      await daemon.child.line(/vipd_dumps in global_defs switches the dump files on/, soonMs)
      assert.equal(await host.sh('ls /tmp | grep keepalived || true'), '')
      host.write('/run/lab/precious', 'precious')
      await host.sh('ln -s /run/lab/precious /tmp/keepalived.data')
      daemon.configure(conf({ priority: 100, globals: 'vipd_dumps /tmp\n json_version 2' }))
      assert.equal((await daemon.tryReload()).status, 0)
      await daemon.child.signal('SIGUSR1')
      await daemon.child.line(/wrote \/tmp\/keepalived.data/, soonMs)
      assert.equal(host.read('/run/lab/precious'), 'precious')
      assert.equal(await host.sh('stat -c "%F %a" /tmp/keepalived.data'), 'regular file 600\n')
      assert.equal(await host.sh('ls /tmp | grep -c keepalived'), '1\n')
      await clears(host, daemon)
      const json = JSON.parse((await dumpsOf(host, daemon)).json)
      assert.deepEqual(Object.keys(json), ['vrrp', 'track_process'])
    }))
})

/** SIGRTMAX-1 writes the counts and starts again. */
async function clears(host: Host, daemon: Daemon): Promise<void> {
  const sent = async (signal: string): Promise<number> => {
    await host.must('rm', ['-f', '/tmp/keepalived.stats'])
    await host.sh(`kill -s ${signal} $(pidof vipd | tr ' ' '\\n' | sort -n | head -1)`)
    const text = await until('the counts are written', soonMs, () =>
      complete('stats', host.read('/tmp/keepalived.stats')),
    )
    return readStats(text).get('VI_1/Became master') ?? -1
  }
  assert.equal(await sent('63'), 1)
  assert.equal(await sent('USR2'), 0)
  assert.equal(daemon.child.exit, null)
}

function jsonWithoutCounts(text: string): unknown {
  const all = JSON.parse(text) as readonly { data: Record<string, unknown>; stats: object }[]
  return all.map(({ data, stats }) => ({
    data: { ...data, last_transition: 0, auth_data: '' },
    stats: Object.keys(stats),
  }))
}

/** Everything that an exporter takes from the three files. */
function exporterReads({ data, stats, json }: Files): void {
  const seen = readData(data)
  assert.deepEqual([...seen.instances.keys()], ['VI_1', 'VI_2', 'VI_3', 'VI_6'])
  assert.equal(seen.instances.get('VI_2')?.get('State'), 'BACKUP')
  assert.equal(seen.instances.get('VI_2')?.get('Interface'), 'eth0')
  assert.deepEqual(
    seen.addresses.get('VI_1')?.map((text) => text.split(' ')[0]),
    ['172.16.80.100/24', '172.16.80.101'],
  )
  assert.equal(seen.excluded.get('VI_2')?.length, 1)
  assert.equal(seen.scripts.get('chk_ok')?.get('Status'), 'GOOD')
  assert.equal(seen.scripts.get('chk_bad')?.get('Status'), 'BAD')
  assert.equal(seen.scripts.get('chk_ok')?.get('State'), 'idle')
  const counts = readStats(stats)
  assert.ok((counts.get('VI_2/Advertisements/Received') ?? 0) > 0)
  assert.equal(counts.get('VI_6/Became master'), 1)
  const names = (JSON.parse(json) as { data: { iname: string } }[]).map(({ data }) => data.iname)
  assert.deepEqual(names, [...seen.instances.keys()])
}
