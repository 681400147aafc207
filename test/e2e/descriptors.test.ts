/**
 * A daemon that has used up its descriptors loses notifications of the kernel, and its main thread stands still until
 * its lease has lapsed. That news comes behind the overrun, in the same delivery, and must not be lost with it.
 */
import { test } from 'node:test'
import { startVipd } from '../../src/lab/vipd.ts'
import { conf, inLab } from './pair.ts'

const vip = '172.16.80.100'
const soonMs = 20_000
const stallMs = 8_000
const module = new URL('./stall.js', import.meta.url).href

/** More than the core keeps for a main thread that does not take them. */
const noise = `ip link add name noise type bridge
  for round in $(seq 40); do
    for i in $(seq 250); do echo "address add 10.77.$round.$i/32 dev noise"; done
  done > /tmp/noise.$$
  ip -batch /tmp/noise.$$ && ip link delete dev noise
  rm /tmp/noise.$$`

test('notifications lost, no descriptor left, the lease lapsed: it listens and leads again', () =>
  inLab('descriptors', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const options = [`NODE_OPTIONS=--import=${module}`, `VIPD_TEST_STALL_MS=${stallMs}`]
    const globals = 'vipd_liveness 4'
    const master = startVipd(one, conf({ priority: 150, globals }), 'vipd', ['env', ...options])
    await master.reaches('VI_1', 'MASTER', soonMs)
    await one.awaitAddress(vip, true, soonMs)
    const pid = (await one.sh('pgrep -o -x "node|vipd"')).trim()
    const moves = master.transitions.items.length
    const lines = master.child.mark
    await master.child.signal('SIGUSR2')
    await master.child.line(/stall begins/, soonMs, lines)
    // Every descriptor that is free is beyond the limit.
    await one.sh(`prlimit --pid ${pid} --nofile=3:`)
    await one.sh(noise)
    await one.awaitAddress(vip, false, soonMs)
    await master.child.line(/notifications were lost/, soonMs, lines)
    await master.transitions.next('leads again', soonMs, (m) => m.to === 'MASTER', moves)
    await one.awaitAddress(vip, true, soonMs)
  }))
