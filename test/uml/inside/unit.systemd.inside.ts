/** The unit of systemd/ under systemd: ready, confined, and whatever ends it, as it was before. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { until } from '../../../src/lab/wait.ts'
import { slowMs } from './pair.ts'
import { journal, property, run, systemctl } from './unit.ts'

const read = (path: string): string => readFileSync(`/proc/sys/net/${path}`, 'utf8').trim()
const setting = (name: string): string => read(`ipv4/conf/eth0/${name}`)
const holds = () => run('ip', '-o', 'address', 'show').includes('10.80.0.100')

const config = `vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  priority 150
  advert_int 1
  use_vmac
  virtual_ipaddress {
    10.80.0.100/24
  }
}
vrrp_instance VI_2 {
  interface eth0
  virtual_router_id 52
  priority 150
  advert_int 1
  promote_secondaries
  virtual_ipaddress {
    10.80.0.101/24
  }
}
`

test('the unit becomes ready and leads; of /proc/sys it can write the IPv6 settings of links alone', async () => {
  for (const words of [
    'link add eth0 type veth peer name eth1',
    'link set eth0 up',
    'link set eth1 up',
    'address add 10.80.0.1/24 dev eth0',
  ])
    run('ip', ...words.split(' '))
  writeFileSync('/run/vipd.conf', config)
  systemctl('start', 'vipd')
  assert.equal(property('ActiveState'), 'active')
  await until('it leads', slowMs, () => Promise.resolve(holds()))
  assert.equal(setting('promote_secondaries'), '1')
  // By a file: rtnetlink has no request for it. A thread writes it, and is asked again where this slow machine was later than it waits.
  await until('the virtual link has no IPv6', slowMs, () =>
    Promise.resolve(read('ipv6/conf/vrrp.51/disable_ipv6') === '1'),
  )
  const mounts = readFileSync(`/proc/${property('MainPID')}/mountinfo`, 'utf8').split('\n')
  const options = (path: string): string | undefined => {
    const fields = mounts.map((line) => line.split(' ')).find((it) => it[4] === path)
    return fields?.[5]?.split(',')[0]
  }
  assert.deepEqual(
    [options('/proc/sys'), options('/proc/sys/net/ipv6/conf')],
    ['ro', 'rw'],
    mounts.join('\n'),
  )
})

test('the journal has its transitions as entries with fields', () => {
  const ofMaster = ['VIPD_TO=master', 'VIPD_INSTANCE=VI_1']
  const lines = run('journalctl', '--no-pager', '-o', 'json', '-u', 'vipd', ...ofMaster)
  const entry = JSON.parse(lines.split('\n')[0] ?? '') as Record<string, string>
  assert.match(entry['MESSAGE'] ?? '', /^\(VI_1\) Entering MASTER STATE/)
  assert.deepEqual(
    ['PRIORITY', 'VIPD_INSTANCE', 'VIPD_FROM', 'VIPD_CAUSE'].map((name) => entry[name]),
    ['6', 'VI_1', 'backup', 'timeout'],
  )
})

test('killed with its warden: what it left is removed and set back, and it is started again', async () => {
  const before = property('MainPID')
  systemctl('kill', '--signal=KILL', 'vipd')
  await until('it is another', slowMs, () =>
    Promise.resolve(property('ActiveState') === 'active' && property('MainPID') !== before),
  )
  assert.match(journal(), /set back promote_secondaries of eth0 to 0/)
  await until('it leads', slowMs, () => Promise.resolve(holds()))
  assert.equal(setting('promote_secondaries'), '1')
})

test('stopped: nothing is left', () => {
  systemctl('stop', 'vipd')
  assert.equal(property('ActiveState'), 'inactive')
  assert.deepEqual(
    [setting('promote_secondaries'), setting('arp_ignore'), holds()],
    ['0', '0', false],
  )
  assert.doesNotMatch(run('ip', 'link'), /vrrp\.51/)
})
