/**
 * The address owner of RFC 9568: the virtual address is the host's own, and the only one that its interface has. It
 * leads with priority 255, and whatever becomes of vipd the host keeps its address as it was.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { conf, inLab, start } from './pair.ts'

const soonMs = 30_000
const vipd = program('../cli/run.js')
const own = '172.16.80.100'

const shown = async (host: Host): Promise<string> => {
  const text = await host.must('ip', ['-o', 'address', 'show', 'dev', 'eth0'])
  return text.split('\n').find((line) => line.includes(` ${own}/24 `)) ?? ''
}

test('5.2.4: the owner leads with its only address, which is neither leased nor lost', () =>
  inLab('owner', async (lab) => {
    const owner = await lab.host('owner', { addresses: { eth0: [`${own}/24`] } })
    const backup = await lab.host('backup', { addresses: { eth0: ['172.16.80.3/24'] } })
    // As master it has the owner's address, and drops what comes from there unless it is told not to.
    await backup.sh('echo 1 > /proc/sys/net/ipv4/conf/eth0/accept_local')
    const other = start('keepalived', backup, conf({ priority: 100, vip: `${own}/24` }))
    await other.reaches('VI_1', 'MASTER', soonMs)

    const config = conf({ priority: 255, vip: `${own}/24` })
    const first = startVipd(owner, config)
    await first.reaches('VI_1', 'MASTER', soonMs)
    await other.reaches('VI_1', 'BACKUP', soonMs)
    const status = await first.status()
    assert.deepEqual(status.warnings, [])
    assert.equal(status.instances[0]?.master?.address, own)
    assert.match(await shown(owner), /valid_lft forever/)
    await first.stop()
    assert.match(await shown(owner), /valid_lft forever/, 'after an orderly stop')

    const second = startVipd(owner, config)
    await second.reaches('VI_1', 'MASTER', soonMs)
    await second.kill()
    await other.reaches('VI_1', 'MASTER', soonMs)
    assert.match(await shown(owner), /valid_lft forever/, 'after a kill')

    const check = await owner.run(process.execPath, [vipd, 'check', '-f', '/run/lab/vipd.conf'])
    assert.match(
      check.stdout,
      /172\.16\.80\.100 is this host's own address on eth0 .*\[own-address\]/,
    )
  }))

test('5.2.4: an owner that has another priority is told so, and loses nothing', () =>
  inLab('owner', async (lab) => {
    const host = await lab.host('owner', { addresses: { eth0: [`${own}/24`] } })
    const daemon = startVipd(host, conf({ priority: 100, vip: `${own}/24` }))
    await daemon.reaches('VI_1', 'MASTER', soonMs)
    assert.match((await daemon.status()).warnings.join(), /172\.16\.80\.100 .*another program/)
    const check = await host.run(process.execPath, [vipd, 'check', '-f', '/run/lab/vipd.conf'])
    assert.match(check.stdout, /its owner must have priority 255 .*\[owner-priority\]/)
    assert.equal(check.status, 0)
    await daemon.stop()
    assert.match(await shown(host), /valid_lft forever/)
  }))
