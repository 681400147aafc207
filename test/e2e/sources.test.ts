/** Source addresses that are not on the instance's interface, as keepalived allows them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { inLab, start } from './pair.ts'

const soonMs = 20_000

type Router = { readonly name: string; readonly vrid: number; readonly transport: string }

const config = (priority: number, routers: readonly Router[]): string =>
  [
    'global_defs {\n  script_user root\n  vrrp_version 3\n}',
    ...routers.map(
      ({ name, vrid, transport }) => `vrrp_instance ${name} {
  interface eth0
  virtual_router_id ${vrid}
  priority ${priority}
  advert_int 0.2
  ${transport}
  virtual_ipaddress {
    172.16.80.${vrid}
  }
}`,
    ),
  ].join('\n')

/** With its own number in the last octet everywhere, and a route to the other's loopback address. */
async function host(lab: Lab, number: number, other: number): Promise<Host> {
  const made = await lab.host(`h${number}`, {
    addresses: { eth0: [`172.16.80.${number}/24`], eth1: [`172.16.81.${number}/24`] },
  })
  await made.must('ip', ['address', 'add', `10.50.0.${number}/32`, 'dev', 'lo'])
  await made.must('ip', ['route', 'add', `10.50.0.${other}/32`, 'via', `172.16.80.${other}`])
  return made
}

const routers = (own: number, other: number): readonly Router[] => [
  {
    name: 'LOOPBACK',
    vrid: 51,
    transport: `unicast_src_ip 10.50.0.${own}\n  unicast_peer {\n    10.50.0.${other}\n  }`,
  },
  {
    name: 'OTHER',
    vrid: 52,
    transport: `unicast_src_ip 172.16.81.${own}\n  unicast_peer {\n    172.16.81.${other}\n  }`,
  },
  { name: 'MULTICAST', vrid: 53, transport: `mcast_src_ip 10.50.0.${own}` },
]

test('sources on the loopback and on another interface: one master each, with keepalived too', () =>
  inLab('sources', async (lab) => {
    const [first, second] = [await host(lab, 2, 3), await host(lab, 3, 2)]
    const master = start('keepalived', first, config(150, routers(2, 3)))
    const names = routers(2, 3).map(({ name }) => name)
    for (const name of names) await master.reaches(name, 'MASTER', soonMs)
    const backup = startVipd(second, config(100, routers(3, 2)))
    for (const name of names) await backup.reaches(name, 'BACKUP', soonMs)
    await until('every instance follows its master', soonMs, async () => {
      const { instances } = await backup.status()
      return instances.every((it) => it.adverts.received >= 8 && it.master !== null)
    })
    const { instances } = await backup.status()
    assert.deepEqual(
      instances.map((it) => [it.name, it.state, it.master?.address]),
      [
        ['LOOPBACK', 'BACKUP', '10.50.0.2'],
        ['OTHER', 'BACKUP', '172.16.81.2'],
        ['MULTICAST', 'BACKUP', '10.50.0.2'],
      ],
    )

    // The other way: the vipd leads, and is heard.
    backup.configure(config(200, routers(3, 2)))
    await backup.tryReload()
    for (const name of names) await backup.reaches(name, 'MASTER', soonMs)
    for (const name of names) await master.reaches(name, 'BACKUP', soonMs)

    // A source that goes is a fault, wherever it was; one that returns ends it.
    const [loopback = ''] = names
    await second.must('ip', ['address', 'del', '10.50.0.3/32', 'dev', 'lo'])
    await backup.reaches(loopback, 'FAULT', soonMs)
    await second.must('ip', ['address', 'add', '10.50.0.3/32', 'dev', 'lo'])
    await backup.reaches(loopback, 'MASTER', soonMs)
  }))
