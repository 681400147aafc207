/**
 * `dpkg -i` over a running master, beside a peer that watches: in place where it can be, said where it cannot, and never
 * drained without a restart. systemd's part is played: systemctl.sh, and notify.pl for its notification socket.
 */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { projectRoot } from '../../src/lab/program.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import type { Status } from '../../src/report/status.ts'
import { conf, inLab } from '../e2e/pair.ts'
import { playSystemd } from './page.ts'
import { ofVersion, repack, withoutUpgrade } from './repack.ts'
import { bareRoot, RootedHost } from './root.ts'

const vip = '172.16.80.100'
const soonMs = 60_000
const config = (priority: number): string =>
  conf({ priority, advertInt: 0.5, more: 'garp_master_delay 0' })

/** `first`: the archives of vipd and of vipd-runtime. */
export function upgradesInPlace(scratch: string, first: () => readonly string[]): void {
  test('an upgrade of the packages over a running master', (t) =>
    inLab('inplace', async (lab) => {
      const [vipd = '', runtime = ''] = first()
      const made = join(scratch, 'made')
      const [a, b] = await Promise.all(
        ['a', 'b'].map((name, index) =>
          lab.host(name, { addresses: { eth0: [`172.16.80.${index + 1}/24`] } }),
        ),
      )
      assert.ok(a !== undefined && b !== undefined)
      const at = await RootedHost.open(a, bareRoot(scratch, 'inplace'))
      const file = join(at.root, 'etc/vipd/vipd.conf')
      const run = (path: string) => `${at.root}/run/${path}`
      await playSystemd(at)
      cpSync(join(projectRoot, 'test/package/notify.pl'), join(at.root, 'srv/notify.pl'))
      const manager = a.spawn('chroot', [at.root, 'perl', '/srv/notify.pl'], { name: 'manager' })
      await manager.line(/^listening$/, soonMs)

      const install = (...archives: readonly string[]): Promise<string> => {
        for (const archive of archives) cpSync(archive, join(at.root, 'srv', basename(archive)))
        return at.must('dpkg', '-i', ...archives.map((archive) => `/srv/${basename(archive)}`))
      }
      const status = async (): Promise<Status> => {
        const { stdout, stderr } = await at.run('vipd', 'status', '--json')
        assert.notEqual(stdout, '', stderr)
        return JSON.parse(stdout) as Status
      }
      const pid = (): string => (a.read(run('vipd-service.pid')) ?? '').trim()
      /** A daemon that was just started does not answer yet. */
      const leads = () =>
        until('it leads', soonMs, async () => {
          const now = await status().catch(() => null)
          return now?.instances[0]?.state === 'MASTER'
        })

      // Not started by the first installation.
      await install(vipd, runtime)
      assert.equal(pid(), '')
      writeFileSync(file, config(150))
      await install(ofVersion(vipd, made, '0.1.1'))
      assert.equal(pid(), '', 'a daemon that is stopped stays so')
      await at.must('systemctl', 'start', 'vipd')
      await leads()
      const peer = startVipd(b, config(100))
      await peer.reaches('VI_1', 'BACKUP', soonMs)
      const capture = await lab.capture()

      /** What an upgrade in place may not move. */
      const standing = async () => {
        const [own, other] = [(await status()).instances[0], (await peer.status()).instances[0]]
        const frames = capture.frames.items
        return {
          ...{ state: own?.state, why: own?.why, transitions: own?.transitions },
          ...{ peer: other?.state, ofPeer: other?.transitions },
          announced: frames.filter((it) => it.kind === 'arp' && it.gratuitous).length,
          resigned: frames.filter((it) => it.kind === 'vrrp' && it.priority === 0).length,
          taken: a.changes.items.filter((it) => it.address === vip && !it.present).length,
        }
      }
      /** The daemon that was installed goes on in place of the one that ran. */
      const inPlace = async (...archives: readonly string[]): Promise<string> => {
        const [before, old, mark] = [await standing(), pid(), capture.mark]
        const said = await install(...archives)
        assert.match(said, new RegExp(`goes on in place of vipd .* \\(process ${old}\\)$`, 'm'))
        assert.notEqual(pid(), old)
        await until('the old process is gone', soonMs, () => !runs(a.outside(`/proc/${old}`)))
        await capture.advert('adverts go on', soonMs, () => true, Math.max(mark, capture.mark))
        assert.deepEqual(await standing(), before)
        return said
      }
      /** It goes on as it was, whatever was said. */
      const unmoved = async (order: () => Promise<string>): Promise<string> => {
        const [before, old] = [await standing(), pid()]
        const said = await order()
        assert.equal(pid(), old)
        assert.ok(runs(a.outside(`/proc/${old}`)))
        assert.deepEqual(await standing(), before)
        return said
      }
      const installed = async (): Promise<string> => {
        const said = await at.must('dpkg', '-s', 'vipd')
        return ['Status', 'Version']
          .map((name) => new RegExp(`^${name}: (.*)$`, 'm').exec(said)?.[1])
          .join(' ')
      }
      const newer = ofVersion(vipd, made, '0.2.0')
      await cases(t, {
        'a newer version: in place': async () => {
          await inPlace(newer)
          assert.equal((await status()).version, '0.2.0')
          assert.equal(await installed(), 'install ok installed 0.2.0-1')
        },
        'another Node.js: in place, once': async () => {
          await inPlace(repack(runtime, made, '0.2.0-1'))
          const node = readlinkSync(a.outside(`/proc/${pid()}/exe`))
          assert.match(node, /\/usr\/lib\/vipd\/node$/)
          assert.equal((await status()).upgrades.done, 2)
        },
        'the version before: in place': async () => {
          await inPlace(vipd)
          assert.equal((await status()).version, '0.1.0')
        },
        'a configuration that does not run: the old one goes on, and it is said how to mend it':
          async () => {
            writeFileSync(file, `${config(150)}vrrp_instance VI_2 {\n`)
            const said = await unmoved(() => install(newer))
            assert.match(
              said,
              /vipd\.conf:\d+:\d+: error: the block 'vrrp_instance' is never closed/,
            )
            assert.match(said, /the old daemon goes on/)
            assert.equal(await installed(), 'install ok installed 0.2.0-1')
            writeFileSync(file, config(150))
            const [, mend = ''] = /^vipd: mend it and do: (.*)$/m.exec(said) ?? []
            const old = pid()
            await at.must('sh', '-c', mend)
            assert.notEqual(pid(), old)
            assert.equal((await status()).version, '0.2.0')
          },
        'policy-rc.d forbids a restart: nothing is done to the daemon': async () => {
          const policy = join(at.root, 'usr/sbin/policy-rc.d')
          writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
          const said = await unmoved(() => install(vipd))
          rmSync(policy)
          assert.match(said, /policy-rc\.d forbids a restart; the old daemon goes on/)
        },
        'the unit is masked: systemd would not follow, and nothing is done to the daemon':
          async () => {
            a.write(run('systemctl-load-state'), 'masked\n')
            const said = await unmoved(() => install(newer))
            rmSync(a.outside(run('systemctl-load-state')))
            assert.match(said, /vipd\.service is masked; the old daemon goes on/)
          },
        'systemctl obeys nothing, as in a chroot with this /run: the daemon is not its own':
          async () => {
            a.write(run('systemctl-offline'), '')
            const said = await unmoved(() => install(newer))
            rmSync(a.outside(run('systemctl-offline')))
            assert.doesNotMatch(said, /in place|restart/)
          },
        'not in place, and systemd does not restart it: it is not left drained': async () => {
          writeFileSync(file, config(151))
          a.write(run('systemctl-refuses'), 'restart\n')
          const old = pid()
          const said = await install(newer)
          assert.match(
            said,
            /changed since(.|\n)*not in place: restarting\n(.|\n)*the restart failed/,
          )
          assert.equal(pid(), old)
          rmSync(a.outside(run('systemctl-refuses')))
          await leads()
        },
        'not in place: the peer takes over, and it is restarted': async () => {
          const old = pid()
          const gone = peer.transitions.items.length
          const said = await install(newer)
          assert.match(said, /^vipd: not in place: restarting$/m)
          assert.doesNotMatch(said, /no peer took over|failed/)
          await peer.transitions.next('the peer leads', soonMs, (it) => it.to === 'MASTER', gone)
          assert.notEqual(pid(), old)
          await leads()
        },
        'a version that knows no upgrade in place: by a restart': async () => {
          await install(ofVersion(vipd, made, '0.0.9', withoutUpgrade))
          await leads()
          const old = pid()
          const said = await install(newer)
          assert.match(said, /does not know upgrade/)
          assert.match(said, /^vipd: not in place: restarting$/m)
          assert.notEqual(pid(), old)
          assert.equal((await status()).version, '0.2.0')
          await leads()
        },
        'policy-rc.d forbids a stop, or it is not stopped: a removal leaves it as it is':
          async () => {
            a.write(run('systemctl-refuses'), 'stop\n')
            const old = pid()
            const { status: ended, stderr } = await at.run('dpkg', '--remove', 'vipd')
            rmSync(a.outside(run('systemctl-refuses')))
            assert.notEqual(ended, 0)
            assert.match(stderr, /it was not stopped/)
            assert.equal(await installed(), 'deinstall ok installed 0.2.0-1')
            await leads()
            const policy = join(at.root, 'usr/sbin/policy-rc.d')
            writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
            await at.must('dpkg', '--remove', 'vipd')
            assert.ok(runs(a.outside(`/proc/${old}`)))
            assert.ok(await a.holds(vip))
          },
      })
    }))
}

/** One after the other; each begins with what the one before has left. */
async function cases(t: TestContext, of: Readonly<Record<string, () => Promise<void>>>) {
  for (const [name, body] of Object.entries(of)) await t.test(name, body)
}

/** Whether that process of /proc does, and is no zombie. */
function runs(process: string): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`${process}/status`, 'utf8'))
  } catch {
    return false
  }
}
