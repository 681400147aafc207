/** Settings of interfaces (net.ipv4.conf.IFACE.*): changed while vipd runs, and as they were afterwards, however it ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000
const command = program('../cli/run.js')
const promote = conf({ priority: 150, more: 'promote_secondaries' })

const file = '/proc/sys/net/ipv4/conf/eth0/promote_secondaries'
const value = async (host: Host): Promise<string> => (await host.sh(`cat ${file}`)).trim()
const becomes = (host: Host, wanted: string) =>
  until(`promote_secondaries is ${wanted}`, soonMs, async () => (await value(host)) === wanted)

const cleanup = (host: Host, runDir: string) =>
  host.run(process.execPath, [command, 'cleanup', '--run-dir', runDir])

/** The daemon and its warden at once. */
async function killAll(host: Host, daemon: Vipd): Promise<void> {
  await host.sh('kill -KILL $(pgrep -x vipd-warden) $(pgrep -o -x "node|vipd")')
  await daemon.child.ended(soonMs)
}

test('promote_secondaries: before, while, after a reload, a stop, a kill, the next start, the cleanup', () =>
  inLab('settings', async (lab) => {
    const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    assert.equal(await value(host), '0')
    // A /proc/sys that is read-only, as systemd's ProtectKernelTunables makes it, does not matter.
    const readOnly = [
      'unshare',
      '-m',
      'sh',
      '-c',
      'mount --bind -r /proc/sys /proc/sys && ! (: >/proc/sys/net/ipv4/ip_forward) && exec "$@"',
      'sh',
    ]
    const daemon = startVipd(host, promote, 'vipd', readOnly)
    await daemon.reaches('VI_1', 'MASTER', soonMs)
    assert.equal(await value(host), '1')
    assert.deepEqual((await daemon.status()).warnings, [])
    daemon.configure(conf({ priority: 150 }))
    assert.equal((await daemon.tryReload()).status, 0)
    await becomes(host, '0')
    daemon.configure(promote)
    assert.equal((await daemon.tryReload()).status, 0)
    await becomes(host, '1')
    assert.deepEqual(
      daemon.transitions.items.map(({ to }) => to),
      ['BACKUP', 'MASTER'],
    )
    await daemon.stop()
    assert.equal(await value(host), '0')
    const second = startVipd(host, promote, 'vipd')
    await second.reaches('VI_1', 'MASTER', soonMs)
    await until(
      'a warden runs',
      soonMs,
      async () => (await host.run('pgrep', ['-x', 'vipd-warden'])).stdout,
    )
    await killAll(host, second)
    assert.equal(await value(host), '1')
    const next = startVipd(host, conf({ priority: 150 }), 'vipd')
    await next.child.line(
      /Set back what an earlier vipd had changed: promote_secondaries of eth0 to 0/,
      soonMs,
    )
    await next.reaches('VI_1', 'MASTER', soonMs)
    assert.equal(await value(host), '0')
    next.configure(promote)
    assert.equal((await next.tryReload()).status, 0)
    await becomes(host, '1')
    await until(
      'a warden runs',
      soonMs,
      async () => (await host.run('pgrep', ['-x', 'vipd-warden'])).stdout,
    )
    await killAll(host, next)
    const done = await cleanup(host, next.runDir)
    assert.deepEqual([done.status, await value(host)], [0, '0'], done.stderr)
    assert.match(done.stdout, /^set back promote_secondaries of eth0 to 0$/m)
    const again = await cleanup(host, next.runDir)
    assert.equal(again.stdout, '')
  }))

test('two vipds and a keepalived on one interface: whichever ends last sets it back', () =>
  inLab('shared', async (lab) => {
    const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const other = promote
      .replace('virtual_router_id 51', 'virtual_router_id 52')
      .replace('.100', '.101')
    const one = startVipd(host, promote, 'first')
    await one.reaches('VI_1', 'MASTER', soonMs)
    const two = startVipd(host, other, 'second')
    await two.reaches('VI_1', 'MASTER', soonMs)
    await one.stop()
    assert.equal(await value(host), '1', 'the second needs it')
    await two.stop()
    assert.equal(await value(host), '0')
    const three = startVipd(host, other, 'third')
    await three.reaches('VI_1', 'MASTER', soonMs)
    // Another program that sets it by rtnetlink is noticed at once, and by its value it is set back.
    const keepalived = startKeepalived(host, promote)
    await keepalived.reaches('VI_1', 'MASTER', soonMs)
    await keepalived.stop()
    await becomes(host, '1')
    await three.stop()
    assert.equal(await value(host), '0')
  }))

const ofBase = async (host: Host): Promise<readonly string[]> => {
  const names = ['arp_ignore', 'arp_announce', 'arp_filter', 'rp_filter']
  const text = await host.sh(`cd /proc/sys/net/ipv4/conf/eth0; cat ${names.join(' ')}`)
  return text.trim().split('\n')
}

test('use_vmac: the interface below before, while, after a stop, after a kill and the cleanup; keepalived leaves its own', () =>
  inLab('vmacbase', async (lab) => {
    const vmac = (priority: number) => conf({ priority, more: 'use_vmac' })
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
    const untouched = ['0', '0', '0', '0']
    assert.deepEqual(await ofBase(one), untouched)
    const daemon = startVipd(one, vmac(150), 'vipd')
    await daemon.reaches('VI_1', 'MASTER', soonMs)
    assert.deepEqual(await ofBase(one), ['1', '2', '0', '0'])
    const keepalived = startKeepalived(two, vmac(100))
    await keepalived.reaches('VI_1', 'BACKUP', soonMs)
    await daemon.stop()
    assert.deepEqual(await ofBase(one), untouched)
    await keepalived.stop()
    assert.deepEqual(await ofBase(two), ['1', '0', '1', '0'], 'keepalived 2.2.7, for ever')
    const killed = startVipd(one, vmac(150), 'vipd')
    await killed.reaches('VI_1', 'MASTER', soonMs)
    await until(
      'a warden runs',
      soonMs,
      async () => (await one.run('pgrep', ['-x', 'vipd-warden'])).stdout,
    )
    await killAll(one, killed)
    assert.deepEqual(await ofBase(one), ['1', '2', '0', '0'])
    const done = await cleanup(one, killed.runDir)
    assert.equal(done.status, 0, done.stderr)
    assert.deepEqual(await ofBase(one), untouched)
  }))
