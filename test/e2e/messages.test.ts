/** What the log and status say of interfaces and addresses that change under a running daemon. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { inLab } from './pair.ts'

const soonMs = 30_000

const router = (name: string, vrid: number, link: string, vip: string, more = ''): string =>
  `vrrp_instance ${name} {
  interface ${link}
  virtual_router_id ${vrid}
  version 3
  priority 150
  advert_int 0.2
  ${more}
  virtual_ipaddress {
    ${vip}
  }
}
`

test('interfaces that come, go and change are named as what they did, and those of others not at all', () =>
  inLab('linknews', async (lab) => {
    const host = await lab.host('h1', { addresses: { eth0: ['172.16.80.2/24'] } })
    await host.must('ip', ['link', 'add', 'work0', 'type', 'veth', 'peer', 'name', 'work1'])
    for (const link of ['work0', 'work1']) await host.must('ip', ['link', 'set', link, 'up'])
    await host.must('ip', ['address', 'add', '10.7.0.1/24', 'dev', 'work0'])
    const vipd = startVipd(
      host,
      router('VI_1', 51, 'eth0', '172.16.80.100') + router('WORK', 52, 'work0', '10.7.0.100'),
    )
    await vipd.reaches('VI_1', 'MASTER', soonMs)
    await vipd.reaches('WORK', 'MASTER', soonMs)
    const told = () => [...vipd.child.text.matchAll(/Netlink reports ([^"]*)/g)].map((m) => m[1])
    const before = told().length
    for (let i = 0; i < 10; i++) {
      await host.must('ip', ['link', 'add', `x${i}`, 'type', 'veth', 'peer', 'name', `y${i}`])
      await host.must('ip', ['link', 'delete', `x${i}`])
    }
    await host.must('ip', ['link', 'set', 'work0', 'address', '02:00:00:00:07:07'])
    const line = (text: RegExp) =>
      until(`${text} is logged`, soonMs, async () => told().some((it) => text.test(it ?? '')))
    await line(/^work0 with MAC address 02:00:00:00:07:07$/)
    await host.must('ip', ['link', 'set', 'work0', 'mtu', '1400'])
    await line(/^work0 with MTU 1400$/)
    await host.must('ip', ['link', 'set', 'work0', 'down'])
    await vipd.reaches('WORK', 'FAULT', soonMs)
    await host.must('ip', ['link', 'delete', 'work0'])
    await line(/^work0 deleted$/)
    const why = async () =>
      (await vipd.status()).instances.find(({ name }) => name === 'WORK')?.why ?? ''
    await until('WHY says missing', soonMs, async () => (await why()) === 'link work0 missing')
    await host.must('ip', ['link', 'add', 'work0', 'type', 'veth', 'peer', 'name', 'work1'])
    await line(/^work0 created, down$/)
    const failures = vipd.child.text.match(/\(WORK\) [^"]*ENET[^"]*/g) ?? []
    assert.ok(failures.length <= 1, failures.join('\n'))
    assert.deepEqual(
      told()
        .slice(before)
        .filter((it) => !it?.startsWith('work0')),
      [],
    )
  }))

test('an IPv6 address that another host uses is called that, and seldom', () =>
  inLab('duplicate', async (lab) => {
    const host = await lab.host('h1', { addresses: { eth0: ['fe80::2/64'] } })
    await host.sh('echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_dad')
    await lab.host('h2', { addresses: { eth0: ['fe80::3/64', 'fd00::100/64'] } })
    const vip = 'fe80::100/64\n    fd00::100/64 -nodad'
    const vipd = startVipd(host, router('VI_6', 51, 'eth0', vip))
    await vipd.reaches('VI_6', 'MASTER', soonMs)
    const count = (text: RegExp) => vipd.child.text.match(text)?.length ?? 0
    const duplicate = /fd00::100 is used by another host as well/g
    await until('the duplicate is reported', soonMs, async () => count(duplicate) > 0)
    await until('status names it', soonMs, async () =>
      (await vipd.status()).warnings.some((it) => duplicate.test(it)),
    )
    assert.equal(count(/removed by another program/g), 0)
  }))
