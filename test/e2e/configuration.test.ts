/**
 * What an operator may do to the configuration of a running daemon: a broken file, a file that is cut short, a FIFO in
 * its place. The daemon says so and goes on: it answers, takes over, and stops when it is asked to.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 20_000
const good = conf({ priority: 150 })

async function master(lab: Lab): Promise<{ host: Host; daemon: Vipd }> {
  const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  const daemon = startVipd(host, good)
  await daemon.reaches('VI_1', 'MASTER', soonMs)
  await host.awaitAddress('172.16.80.100', true, soonMs)
  return { host, daemon }
}

describe('a file that a reload refuses', () => {
  test('by command, by HUP and for the supervisor; --force takes it', () =>
    inLab('refused', async (lab) => {
      const { host, daemon } = await master(lab)
      daemon.configure(good.replace('priority 150', 'priority 1500'))
      const answer = await daemon.tryReload()
      assert.equal(answer.status, 1, answer.text)
      assert.match(answer.text, /vipd\.conf:\d+:\d+: priority 1500 .*\[bad-number\]\n.*--force/)
      const first = (await daemon.status()).config
      assert.equal(first.lastReload, 'rejected')
      assert.match(first.lastReloadReasons.join(), /bad-number/)

      for (const text of ['', good.slice(0, good.indexOf('172.16.80.100') + 10)]) {
        daemon.configure(text)
        const from = daemon.child.mark
        await daemon.reload()
        await daemon.child.line(/Reload rejected, nothing has changed: .*\[/, soonMs, from)
      }
      const second = (await daemon.status()).config
      assert.match(second.lastReloadReasons.join(), /missing-close-brace/)
      assert.notEqual(second.lastReloadAt, first.lastReloadAt)
      assert.equal(daemon.state('VI_1'), 'MASTER')
      assert.equal(await host.holds('172.16.80.100'), true)

      daemon.configure('')
      const forced = await daemon.ask('reload', '--force')
      assert.equal(forced.status, 0, forced.stderr)
      await host.awaitAddress('172.16.80.100', false, soonMs)
      daemon.configure(good)
      assert.equal((await daemon.tryReload()).status, 0)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
    }))

  test('a start takes it, and says in one line what it leaves out', () =>
    inLab('tolerated', async (lab) => {
      const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      const daemon = startVipd(host, good.replace('priority 150', 'priority 1500'))
      await daemon.child.line(/has one mistake, and .* left out: .*\[bad-number\]/, soonMs)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      daemon.configure(good.replace('priority 150', 'priority 1500\n  advert_int 0.3'))
      const answer = await daemon.tryReload()
      assert.equal(answer.status, 0, `the mistake is an old one: ${answer.text}`)
    }))
})

describe('a FIFO in the place of the configuration', () => {
  const replace = (host: Host) => host.sh('rm /run/lab/vipd.conf && mkfifo /run/lab/vipd.conf')

  test('status and reload answer, and TERM stops', () =>
    inLab('fifo', async (lab) => {
      const { host, daemon } = await master(lab)
      assert.equal((await daemon.status()).config.unchangedOnDisk, true)
      await replace(host)
      assert.equal((await daemon.status()).config.unchangedOnDisk, false)
      const answer = await daemon.tryReload()
      assert.equal(answer.status, 1)
      assert.match(answer.text, /vipd\.conf: it is a FIFO, not a regular file \[file-unreadable\]/)
      assert.equal(daemon.state('VI_1'), 'MASTER')
      const words = [program('../cli/run.js'), 'check', '-f', '/run/lab/vipd.conf']
      const check = await host.run(process.execPath, words)
      assert.equal(check.status, 4, check.stdout)
      assert.deepEqual(await daemon.stop(), { status: 0, signal: null })
    }))

  test('a backup takes over all the same', () =>
    inLab('fifo', async (lab) => {
      const { host, daemon } = await master(lab)
      const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
      const backup = startVipd(two, conf({ priority: 100 }))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await replace(two)
      await backup.reload()
      await backup.child.line(/Reload rejected/, soonMs)
      await daemon.kill()
      await backup.reaches('VI_1', 'MASTER', soonMs)
      await two.awaitAddress('172.16.80.100', true, soonMs)
      assert.equal(await host.holds('172.16.80.100'), false)
    }))
})

describe('a file system that does not answer', () => {
  /** A FUSE file system that no process serves: every look at it hangs, as on a file server that is gone. */
  const dead = `
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open("/dev/fuse", os.O_RDWR)
    os.makedirs("/run/lab/dead", exist_ok=True)
    options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % fd
    if libc.mount(b"dead", b"/run/lab/dead", b"fuse", 0, options) != 0:
      raise OSError(ctypes.get_errno(), "mount")
    # Not ln(1): it looks at what the link leads to.
    os.symlink("/run/lab/dead/vipd.conf", "/run/lab/link")
    os.rename("/run/lab/link", "/run/lab/vipd.conf")
    print("mounted", flush=True)
    import signal
    signal.pause()
  `.replace(/^ {4}/gm, '')

  test('status answers, the master goes on, and TERM stops while a reload hangs', () =>
    inLab('dead', async (lab) => {
      const { host, daemon } = await master(lab)
      const server = host.spawn('python3', ['-c', dead], { name: 'dead' })
      await server.line(/mounted/, soonMs)
      assert.equal((await daemon.status()).config.unchangedOnDisk, 'unknown')
      const capture = await lab.capture()
      await daemon.reload()
      await daemon.child.line(/SIGHUP received/, soonMs)
      const priority = (wanted: number) => (a: { vrid: number; priority: number }) =>
        a.vrid === 51 && a.priority === wanted
      const from = capture.mark
      for (let n = 1; n <= 10; n++) {
        const enough = () => capture.adverts(priority(150), from).length >= n
        await capture.advert(`advert ${n}`, soonMs, (a) => priority(150)(a) && enough(), from)
      }
      assert.equal((await daemon.status()).config.lastReload, 'none', 'it is still being read')
      assert.deepEqual(await daemon.stop(soonMs), { status: 0, signal: null })
      await capture.advert('priority 0', soonMs, priority(0), from)
      assert.equal(await host.holds('172.16.80.100'), false)
    }))
})
