/** What is ours and what is not: other owners of the host's addresses and nft tables lose nothing to vipd. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const vip = '172.16.80.100'
const soonMs = 30_000
const command = program('../cli/run.js')
const forEver = 'vipd_address_lifetime 0'

const openHost = (lab: Lab, name = 'one', last = 2): Promise<Host> =>
  lab.host(name, { addresses: { eth0: [`172.16.80.${last}/24`] } })

const cleanup = (host: Host, runDir: string, ...words: string[]) =>
  host.run(process.execPath, [command, 'cleanup', '--run-dir', runDir, ...words])

async function master(
  host: Host,
  config = conf({ priority: 150, globals: forEver }),
): Promise<Vipd> {
  const daemon = startVipd(host, config)
  await daemon.reaches('VI_1', 'MASTER', soonMs)
  await host.awaitAddress(vip, true, soonMs)
  await until('a warden runs', soonMs, async () =>
    (await host.run('pgrep', ['-r', 'R,S,D', '-x', 'vipd-warden'])).stdout.trim(),
  )
  return daemon
}

/** Both at once: nothing is left that could clean up. */
async function killAll(host: Host, daemon: Vipd): Promise<void> {
  await host.sh('kill -KILL $(pgrep -x vipd-warden) $(pgrep -o -x "node|vipd")')
  await daemon.child.ended(soonMs)
}

const shown = async (host: Host, address: string): Promise<string> => {
  const text = await host.must('ip', ['-o', 'addr', 'show'])
  return text.split('\n').find((line) => line.includes(` ${address}/`)) ?? ''
}

describe('vipd cleanup', { concurrency: 2 }, () => {
  test('leaves what others put there, whatever a configuration names', () =>
    inLab('others', async (lab) => {
      const host = await openHost(lab)
      const keepalived = startKeepalived(host, conf({ priority: 150, vip: '172.16.80.103' }))
      await keepalived.reaches('VI_1', 'MASTER', soonMs)
      await host.awaitAddress('172.16.80.103', true, soonMs)
      await host.must('ip', ['addr', 'add', '172.16.80.101/32', 'dev', 'eth0'])
      const leased = ['valid_lft', '3600', 'preferred_lft', '3600']
      await host.must('ip', ['addr', 'add', '172.16.80.102/32', 'dev', 'eth0', ...leased])
      const theirs = ['172.16.80.101', '172.16.80.102', '172.16.80.103']
      const text = conf({
        priority: 255,
        vip: ['172.16.80.2/24', ...theirs.map((it) => `${it}/32`)].join('\n    '),
      })
      const file = host.write('/run/lab/vipd.conf', text)
      const done = await cleanup(host, '/run/lab/vipd', '-f', file)
      assert.deepEqual(done, { status: 0, stdout: '', stderr: '' })
      for (const address of ['172.16.80.2', ...theirs])
        assert.ok(await host.holds(address), address)
    }))

  test('leaves what a living vipd has, whether or not its control socket answers', () =>
    inLab('living', async (lab) => {
      const host = await openHost(lab)
      const daemon = await master(host)
      const refused = async (what: string) => {
        const done = await cleanup(host, daemon.runDir)
        assert.equal(done.status, 1, what)
        assert.match(done.stderr, /a daemon runs: nothing is removed/, what)
        assert.ok(await host.holds(vip), what)
      }
      await refused('as it is')
      const silent = `
        const net = require('node:net')
        for (let i = 0; i < 64; i++) net.connect('${daemon.runDir}/vipd.sock')
        setTimeout(() => console.log('connected'), 200)
        setInterval(() => undefined, 1000)`
      const clients = host.spawn(process.execPath, ['-e', silent], { name: 'silent clients' })
      await clients.line(/connected/, soonMs)
      await refused('all places of the control socket are taken')
      await host.sh(`rm ${daemon.runDir}/vipd.sock`)
      await refused('the control socket is removed')
      const elsewhere = await cleanup(host, '/run/lab/elsewhere')
      assert.equal(elsewhere.status, 0)
      assert.match(
        elsewhere.stderr,
        /left alone: 172\.16\.80\.100\/32 on eth0: the vipd of \S+ names it/,
      )
      await host.sh(`mv ${daemon.runDir} /run/lab/moved`)
      await refused('the run directory is gone')
      const unread = await cleanup(host, '/run/lab/elsewhere')
      assert.match(unread.stderr, /left alone: 172\.16\.80\.100\/32 on eth0: it may belong to/)
      assert.ok(await host.holds(vip))
    }))

  test('removes all that a dead vipd left, though one is gone already; the run directory may be lost', () =>
    inLab('dead', async (lab) => {
      const host = await openHost(lab)
      const vips = [vip, '172.16.80.101', '172.16.80.102', '2001:db8::100']
      const more = `virtual_ipaddress_excluded {\n    ${vips.slice(1).join('\n    ')}\n  }`
      const daemon = await master(host, conf({ priority: 150, globals: forEver, more }))
      for (const it of vips) await host.awaitAddress(it, true, soonMs)
      await killAll(host, daemon)
      await host.must('ip', ['addr', 'del', `${vip}/32`, 'dev', 'eth0'])
      await host.sh(`rm -r ${daemon.runDir}`)
      const done = await cleanup(host, daemon.runDir)
      assert.equal(done.status, 0, done.stderr)
      assert.equal(done.stdout.match(/^removed /gm)?.length, 3, done.stdout)
      for (const it of vips) assert.equal(await host.holds(it), false, it)
      assert.ok(await host.holds('172.16.80.2'))
    }))

  test('a record of an unknown version: nothing is removed, and it says so', () =>
    inLab('version', async (lab) => {
      const host = await openHost(lab)
      const daemon = await master(host)
      await killAll(host, daemon)
      const record = `${daemon.runDir}/owned.json`
      await host.sh(`sed -i 's/"version": *1/"version": 99/' ${record}`)
      const done = await cleanup(host, daemon.runDir)
      assert.equal(done.status, 1)
      assert.match(done.stderr, /record .* is unusable, nothing is removed: its version is 99/)
      assert.ok(await host.holds(vip))
    }))
})

describe('an address that was there before', { concurrency: 2 }, () => {
  test('is neither leased nor deleted, and status says so; gone, it becomes ours', () =>
    inLab('before', async (lab) => {
      const host = await openHost(lab)
      await host.must('ip', ['addr', 'add', `${vip}/32`, 'dev', 'eth0'])
      const daemon = startVipd(host, conf({ priority: 150, globals: 'vipd_address_lifetime 5' }))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await until('status says whose it is', soonMs, async () =>
        (await daemon.status()).warnings.some((w) => /172\.16\.80\.100 .*another program/.test(w)),
      )
      assert.match(await shown(host, vip), /valid_lft forever/)
      await host.must('ip', ['addr', 'del', `${vip}/32`, 'dev', 'eth0'])
      await until('vipd has it', soonMs, async () => /valid_lft \dsec/.test(await shown(host, vip)))
      assert.deepEqual((await daemon.status()).warnings, [])
      await daemon.stop()
      assert.equal(await host.holds(vip), false)
    }))

  test('stays through start, lead and stop; with another prefix it is another address', () =>
    inLab('through', async (lab) => {
      const host = await openHost(lab)
      await host.must('ip', ['addr', 'add', `${vip}/32`, 'dev', 'eth0'])
      const daemon = startVipd(host, conf({ priority: 150 }))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await daemon.stop()
      assert.match(await shown(host, vip), /valid_lft forever/)
      const other = startVipd(host, conf({ priority: 150, vip: `${vip}/24` }))
      await other.reaches('VI_1', 'MASTER', soonMs)
      await until('both', soonMs, async () => (await shown24(host)).length === 2)
      await other.stop()
      assert.deepEqual(await shown24(host), [`${vip}/32`])
    }))
})

const shown24 = async (host: Host): Promise<string[]> => {
  const text = await host.must('ip', ['-o', 'addr', 'show', 'eth0'])
  return [...text.matchAll(/inet (172\.16\.80\.100\/\d+)/g)].map(([, it = '']) => it)
}

describe('another program alters an address that stands', { concurrency: 2 }, () => {
  for (const [lifetime, wanted] of [
    [0, /valid_lft forever preferred_lft forever/],
    [900, /valid_lft (900|89\d)sec preferred_lft \1sec/],
  ] as const)
    test(`its lifetimes are set again at once (vipd_address_lifetime ${lifetime})`, () =>
      inLab('altered', async (lab) => {
        const host = await openHost(lab)
        const globals = `vipd_address_lifetime ${lifetime}`
        const daemon = startVipd(host, conf({ priority: 150, globals }))
        await daemon.reaches('VI_1', 'MASTER', soonMs)
        for (const lifetimes of ['valid_lft 2 preferred_lft 0', 'valid_lft 3600 preferred_lft 3']) {
          await host.sh(`ip addr change ${vip}/32 dev eth0 ${lifetimes}`)
          await until('as it was', soonMs, async () => wanted.test(await shown(host, vip)))
        }
        assert.equal((await daemon.status()).instances[0]?.transitions, 2)
        assert.deepEqual((await daemon.status()).warnings, [])
        assert.match(daemon.child.text, /172\.16\.80\.100 was altered by another program/)
      }))
})

describe('deleting a primary takes the secondaries of its network along', {
  concurrency: 2,
}, () => {
  const own = '172.16.80.2'
  const label = 'eth0:own'
  const virtual = `${vip}/24`

  /** A master whose VIP is the primary of a network in which the host has an address of its own, added later. */
  async function primary(lab: Lab, promote: 0 | 1): Promise<{ host: Host; daemon: Vipd }> {
    const host = await lab.host('one', { addresses: { eth0: ['10.9.0.2/24'] } })
    await host.sh(`echo ${promote} > /proc/sys/net/ipv4/conf/eth0/promote_secondaries`)
    const daemon = await master(host, conf({ priority: 150, vip: virtual, globals: forEver }))
    const more = ['broadcast', '172.16.80.255', 'label', label, 'metric', '77']
    await host.must('ip', ['addr', 'add', `${own}/24`, 'dev', 'eth0', ...more])
    assert.match(await shown(host, own), / secondary /)
    // The standing order follows the kernel's news: what status answers now was read after it.
    await daemon.status()
    return { host, daemon }
  }

  const leaving: Record<string, (lab: Lab, it: { host: Host; daemon: Vipd }) => Promise<unknown>> =
    {
      'an orderly stop': (_, { daemon }) => daemon.stop(),
      'the warden': (_, { host }) => host.sh('kill -KILL $(pgrep -o -x "node|vipd")'),
      'the cleanup after a kill': async (_, { host, daemon }) => {
        await killAll(host, daemon)
        const done = await cleanup(host, daemon.runDir)
        assert.equal(done.status, 0, done.stderr)
      },
      'a hand-over': async (lab, { daemon }) => {
        const other = await lab.host('two', { addresses: { eth0: ['10.9.0.3/24'] } })
        await startVipd(other, conf({ priority: 200, vip: virtual })).reaches(
          'VI_1',
          'MASTER',
          soonMs,
        )
        await daemon.reaches('VI_1', 'BACKUP', soonMs)
      },
    }
  for (const [how, leave] of Object.entries(leaving))
    for (const promote of [0, 1] as const)
      test(`${how}, promote_secondaries ${promote}: the host has its own address as before`, () =>
        inLab('primary', async (lab) => {
          const it = await primary(lab, promote)
          const { host } = it
          const before = await shown(host, own)
          const monitor = host.spawn('ip', ['-o', 'monitor', 'address'], { name: 'monitor' })
          await until('the monitor hears', soonMs, async () => {
            await host.must('ip', ['addr', 'replace', '10.9.7.7/32', 'dev', 'eth0'])
            return monitor.text.includes('10.9.7.7')
          })
          await leave(lab, it)
          await host.awaitAddress(vip, false, soonMs)
          await host.must('ip', ['addr', 'del', '10.9.7.7/32', 'dev', 'eth0'])
          await monitor.line(/Deleted.*10\.9\.7\.7/, soonMs)
          assert.equal(await shown(host, own), before.replace(' secondary', ''))
          const news = monitor.output.items.flatMap(({ text }) =>
            / inet 172/.test(text) ? [text.replace(/^(Deleted )?.*inet (\S+) .*/, '$1$2')] : [],
          )
          const taken = [`Deleted ${own}/24`, `Deleted ${vip}/24`, `${own}/24`]
          assert.deepEqual(news, promote === 0 ? taken : [`Deleted ${vip}/24`, `${own}/24`])
        }))

  test('an address that the host gives up meanwhile does not come back', () =>
    inLab('given-up', async (lab) => {
      const { host, daemon } = await primary(lab, 0)
      await host.must('ip', ['addr', 'del', `${own}/24`, 'dev', 'eth0'])
      await daemon.status()
      await daemon.stop()
      assert.equal(await host.holds(own), false)
      assert.equal(await host.holds(vip), false)
    }))
})

describe('the next start', { concurrency: 2 }, () => {
  test('removes what the last daemon left and no configuration names any more', () =>
    inLab('sweep', async (lab) => {
      const host = await openHost(lab)
      const dead = await master(host)
      await killAll(host, dead)
      await host.must('ip', ['addr', 'add', '172.16.80.103/32', 'dev', 'eth0'])
      const next = startVipd(host, conf({ priority: 150, vip: '172.16.80.101' }))
      await next.reaches('VI_1', 'MASTER', soonMs)
      await next.child.line(
        /Removed what an earlier vipd left: 172\.16\.80\.100\/32 on eth0/,
        soonMs,
      )
      assert.equal(await host.holds(vip), false)
      assert.ok(await host.holds('172.16.80.103'))
    }))

  test('the record names what may be there before it is, and is removed at an orderly stop', () =>
    inLab('record', async (lab) => {
      const host = await openHost(lab)
      const peer = await openHost(lab, 'two', 3)
      await master(peer)
      const backup = startVipd(host, conf({ priority: 100 }))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      const file = `${backup.runDir}/owned.json`
      const record = JSON.parse(await until('the record', soonMs, () => host.read(file))) as {
        version: number
        objects: { address: string; interface: string }[]
      }
      assert.equal(record.version, 1)
      assert.deepEqual(
        record.objects.map((it) => `${it.address} ${it.interface}`),
        [`${vip} eth0`],
      )
      assert.equal(await host.holds(vip), false)
      await backup.stop()
      assert.equal(host.read(file), null)
    }))
})

describe('the nft table of no_accept', { concurrency: 2 }, () => {
  const tables = async (host: Host): Promise<string[]> => {
    const text = await host.must('nft', ['list', 'tables'])
    return [...text.matchAll(/^table inet (\S+)$/gm)].map(([, it = '']) => it).sort()
  }
  const guarded = conf({ priority: 150, globals: forEver, more: 'no_accept' })
  /** A port without a service: refused by a host that takes packets to the address, silence where they are dropped. */
  const asks = `
    const socket = require('node:net').connect(9, '${vip}')
    socket.on('error', (error) => { console.log(error.code); process.exit() })
    setTimeout(() => { console.log('silence'); process.exit() }, 1500)`
  const answers = async (from: Host): Promise<boolean> =>
    (await from.must(process.execPath, ['-e', asks])).trim() === 'ECONNREFUSED'

  test('outlives neither a kill nor a stop: the next daemon without no_accept answers', () =>
    inLab('table', async (lab) => {
      const host = await openHost(lab)
      const client = await openHost(lab, 'two', 3)
      const first = await master(host, guarded)
      const [table = ''] = await tables(host)
      assert.match(table, /^vipd_run_[0-9a-f]{12}$/)
      assert.equal(await answers(client), false)
      await killAll(host, first)
      // As an earlier version named them; 4194305 is above every process id.
      await host.must('nft', ['add', 'table', 'inet', 'vipd_4194305'])
      await host.must('nft', ['add', 'table', 'inet', 'vipd_of_another_kind'])
      const next = await master(host)
      assert.deepEqual(await tables(host), ['vipd_of_another_kind'])
      assert.equal(await answers(client), true)
      next.configure(guarded)
      assert.equal((await next.tryReload()).status, 0)
      await until('the table is there', soonMs, async () => (await tables(host)).includes(table))
      assert.equal(await answers(client), false)
      await next.stop()
      assert.deepEqual(await tables(host), ['vipd_of_another_kind'])
    }))

  test('vipd cleanup removes it, but not that of a living vipd with another run directory', () =>
    inLab('tables', async (lab) => {
      const host = await openHost(lab)
      const living = startVipd(host, guarded.replace(vip, '172.16.80.101'), 'living')
      await living.reaches('VI_1', 'MASTER', soonMs)
      const [kept = ''] = await tables(host)
      const dead = startVipd(host, guarded.replace(/51/, '52'), 'dead')
      await dead.reaches('VI_1', 'MASTER', soonMs)
      await until('two tables', soonMs, async () => (await tables(host)).length === 2)
      await dead.kill()
      const done = await cleanup(host, dead.runDir)
      assert.equal(done.status, 0, done.stderr)
      assert.match(done.stdout, /^removed the nft table vipd_run_/m)
      assert.deepEqual(await tables(host), [kept])
      assert.ok(await host.holds('172.16.80.101'))
    }))

  test('nft hangs: the lead is kept, status answers and says so once; repaired, the rules come', () =>
    inLab('hangs', async (lab) => {
      const host = await openHost(lab)
      const nft = (await host.must('which', ['nft'])).trim()
      const hangs = '#!/bin/sh\n[ -e /run/lab/hang ] && exec sleep 60\nexec NFT "$@"\n'
      await host.sh('mkdir /run/lab/bin')
      host.write('/run/lab/bin/nft', hangs.replace('NFT', nft))
      await host.sh('chmod +x /run/lab/bin/nft')
      const path = `PATH=/run/lab/bin:${process.env['PATH'] ?? ''}`
      const daemon = startVipd(host, conf({ priority: 150 }), 'vipd', ['env', path])
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await host.sh('touch /run/lab/hang')
      daemon.configure(conf({ priority: 150, more: 'no_accept' }))
      assert.equal((await daemon.tryReload()).status, 0)
      await daemon.child.line(/no_accept is not enforced: nft: ETIMEDOUT/, soonMs)
      assert.match((await daemon.status()).warnings.join(), /no_accept is not enforced/)
      assert.equal(daemon.state('VI_1'), 'MASTER')
      assert.equal(daemon.transitions.items.filter((it) => it.to !== 'MASTER').length, 1)
      await host.sh('rm /run/lab/hang')
      await daemon.child.line(/no_accept is enforced/, soonMs)
      assert.deepEqual((await daemon.status()).warnings, [])
      assert.equal((await tables(host)).length, 1)
      const said = daemon.child.output.items.filter((it) => /not enforced/.test(it.text))
      assert.equal(said.length, 1)
    }))
})
