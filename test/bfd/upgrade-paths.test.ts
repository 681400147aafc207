/**
 * `vipd upgrade` with every kind of BFD session at once: IPv6, link-local, over a router in either family, passive, passive and
 * never spoken to, and one whose neighbour demands silence. Then the daemon is killed, and each neighbour misses it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Child } from '../../src/lab/child.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from '../e2e/pair.ts'
import {
  bfdFilter,
  keptUp,
  killAll,
  more,
  realtime,
  sameOnTheWire,
  sessionsOf,
  soonMs,
  upgraded,
} from './continuing.ts'

const here = { v4: '10.80.0.1', v6: 'fd80::1' }
const near = { v4: '10.80.0.2', v6: 'fd80::2' }
const far = { v4: '10.81.0.2', v6: 'fd81::2' }
const demanding = '10.80.0.3'
const none = '10.80.0.99'
/** Made from the hosts' Ethernet addresses. */
const linkLocal = { here: 'fe80::ff:fe00:1', near: 'fe80::ff:fe00:2' }

const session = (name: string, own: string, peer: string, more = '') =>
  `bfd_instance ${name} {
  neighbor_ip ${peer}
  source_ip ${own}
  min_rx 50
  min_tx 50
  multiplier 3
  ${more}
}`

const config = (priority: number, link: string, ...sessions: readonly string[]) =>
  conf({ priority, advertInt: 1, globals: realtime, before: sessions.join('\n') }).replace(
    'interface eth0',
    `interface ${link}`,
  )

/** A router between the two segments. */
async function route(lab: Lab, one: Host, other: Host): Promise<void> {
  const between = await lab.host('between', {
    addresses: {
      eth0: ['10.80.0.254/24', 'fd80::fe/64'],
      eth1: ['10.81.0.254/24', 'fd81::fe/64'],
    },
  })
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']
  await between.must('sysctl', ['-qw', ...forwarding])
  const add = (host: Host, to: string, via: string) =>
    host.must('ip', ['route', 'add', to, 'via', via])
  await add(one, '10.81.0.0/24', '10.80.0.254')
  await add(one, 'fd81::/64', 'fd80::fe')
  await add(other, '10.80.0.0/24', '10.81.0.254')
  await add(other, 'fd80::/64', 'fd81::fe')
}

const areUp = (daemon: Vipd, count: number): Promise<unknown> =>
  until(`${daemon.child.name}: ${count} sessions are up and settled`, soonMs, async () => {
    const up = (await sessionsOf(daemon)).filter(
      ({ state, remoteState, transmitMs }) =>
        state === 'Up' && remoteState === 'Up' && transmitMs === 50,
    )
    return up.length === count
  })

const silent = ['bfd/unheard', 'bfd/demanded']

/** It is silent until it is polled, and answers then. */
async function answers(peer: Child): Promise<void> {
  const from = peer.mark
  peer.write('poll\n')
  await peer.line(/^final$/, soonMs, from)
}

test('sessions of every kind go on in an upgrade of either end; then the daemon is killed', async () => {
  await inLab('bfd-upgrade-paths', async (lab) => {
    const on = ({ v4, v6 }: typeof here) => [`${v4}/24`, `${v6}/64`]
    const one = await lab.host('one', { addresses: { eth0: on(here) } })
    const two = await lab.host('two', { addresses: { eth0: on(near) } })
    const three = await lab.host('three', { addresses: { eth0: [`${demanding}/24`] } })
    const remote = await lab.host('remote', { addresses: { eth1: on(far) } })
    await route(lab, one, remote)
    const file = program('../../test/bfd/demanding-peer.js')
    const peer = three.spawn(process.execPath, [file, demanding, here.v4], { name: 'peer' })
    const ofNear = [
      session('six', near.v6, here.v6),
      session('local', linkLocal.near, linkLocal.here),
      session('spoken', near.v4, here.v4),
    ]
    const neighbour = startVipd(two, config(90, 'eth0', ...ofNear))
    const ofFar = [
      session('hops4', far.v4, here.v4, 'multihop'),
      session('hops6', far.v6, here.v6, 'multihop'),
    ]
    const beyond = startVipd(remote, config(90, 'eth1', ...ofFar))
    const daemon = startVipd(
      one,
      config(
        100,
        'eth0',
        session('six', here.v6, near.v6),
        session('local', linkLocal.here, linkLocal.near),
        session('hops4', here.v4, far.v4, 'multihop'),
        session('hops6', here.v6, far.v6, 'multihop'),
        session('spoken', here.v4, near.v4, 'passive'),
        session('unheard', here.v4, none, 'passive'),
        session('demanded', here.v4, demanding),
      ),
    )
    // Nothing of the virtual router, which each has, is to change either.
    await Promise.all([
      daemon.reaches('VI_1', 'MASTER', soonMs),
      neighbour.reaches('VI_1', 'BACKUP', soonMs),
      beyond.reaches('VI_1', 'MASTER', soonMs),
    ])
    await Promise.all([areUp(neighbour, 3), areUp(beyond, 2), areUp(daemon, 6)])
    await peer.line(/^state Up$/, soonMs)
    // Its F was the last word of the session's beginning.
    await answers(peer)

    const capture = await lab.capture({ filter: bfdFilter })
    await more(capture, 40)
    const marks = [daemon, neighbour, beyond].map((it) => [it, it.child.mark] as const)
    const from = capture.mark
    for (const it of [daemon, daemon, neighbour, beyond])
      await upgraded(it, it === daemon ? silent : [])
    await more(capture, 200)
    for (const [it, mark] of marks) keptUp(it, mark)
    // Both ends of five, and the one that demands.
    sameOnTheWire(capture, from, 11)
    await answers(peer)

    const [nearMark, farMark] = [neighbour.child.mark, beyond.child.mark]
    await killAll(one)
    const lost = (it: Vipd, name: string, mark: number) =>
      it.child.line(new RegExp(`\\(${name}\\) Expired after 150 ms`), soonMs, mark)
    for (const name of ['six', 'local', 'spoken']) await lost(neighbour, name, nearMark)
    for (const name of ['hops4', 'hops6']) await lost(beyond, name, farMark)
    assert.equal(peer.exit, null)
  })
})
