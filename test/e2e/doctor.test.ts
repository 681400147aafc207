/** `vipd doctor` in situations that are made for it: real rules, settings, daemons and what they leave. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 60_000
const command = program('../cli/run.js')

type Told = {
  readonly status: number | null
  readonly codes: readonly string[]
  readonly findings: readonly {
    readonly code: string
    readonly what: string
    readonly mend: string
  }[]
  readonly unseen: readonly { readonly what: string }[]
  readonly daemon: string
}

async function doctor(host: Host, runDir = '/run/lab/vipd', ...words: string[]): Promise<Told> {
  const args = [command, 'doctor', '--json', '--run-dir', runDir, ...words]
  const { status, stdout, stderr } = await host.run(process.execPath, args)
  assert.equal(stderr, '')
  const told = JSON.parse(stdout) as Omit<Told, 'status' | 'codes'> & { readonly exit: number }
  assert.equal(told.exit, status)
  return { ...told, status, codes: told.findings.map(({ code }) => code) }
}

const of = (told: Told, code: string) => {
  const finding = told.findings.find((it) => it.code === code)
  assert.ok(finding, `${code} is not among ${told.codes.join(', ') || 'nothing'}`)
  return finding
}

const one = (lab: Lab) =>
  lab.host('one', { addresses: { eth0: ['172.16.80.2/24'], eth1: ['172.16.80.22/24'] } })
const file = '/run/lab/vipd.conf'
const vip = '10.0.0.9'

describe('doctor', { concurrency: 2 }, () => {
  test('a daemon: the firewall, strict rp_filter, and each mended by its own command', () =>
    inLab('doctor', async (lab) => {
      const host = await one(lab)
      await host.sh(
        'for i in all eth0 eth1; do echo 0 > /proc/sys/net/ipv4/conf/$i/rp_filter; done',
      )
      const daemon = startVipd(host, conf({ priority: 100, vip }))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      const well = await doctor(host)
      assert.equal(well.daemon, 'answers')
      for (const code of [
        'firewall-drops',
        'firewall-may-drop',
        'rp-filter-strict',
        'left-address',
        'daemon-away',
      ])
        assert.ok(!well.codes.includes(code), code)

      await host.sh(
        `nft 'add table inet f; add chain inet f in { type filter hook input priority 0; policy drop; };
          add rule inet f in ct state established,related accept; add rule inet f in iifname lo accept;
          add rule inet f in tcp dport 22 accept'`,
      )
      await host.sh('echo 1 > /proc/sys/net/ipv4/conf/eth0/rp_filter')
      const ill = await doctor(host)
      assert.equal(ill.status, 2)
      const drops = of(ill, 'firewall-drops')
      assert.match(drops.what, /inet f in drops VRRP \(protocol 112\) to 224\.0\.0\.18 \(input\)/)
      const strict = of(ill, 'rp-filter-strict')
      assert.match(strict.what, /eth1 is in it too/)

      await host.sh(drops.mend)
      await host.sh(strict.mend)
      const mended = await doctor(host)
      assert.deepEqual(mended.codes, well.codes)
      assert.equal(mended.status, well.status)
    }))

  test('a keepalived beside it with the same VRID, then with another', () =>
    inLab('doctor-two', async (lab) => {
      const host = await one(lab)
      const keepalived = startKeepalived(host, conf({ priority: 150 }))
      await keepalived.reaches('VI_1', 'MASTER', soonMs)
      host.write(file, conf({ priority: 100 }))
      const told = await doctor(host, '/run/lab/vipd', '-f', file)
      assert.equal(told.status, 2)
      assert.match(
        of(told, 'same-vrid-here').what,
        /keepalived \(process \d+\) has VRID 51 on eth0/,
      )
      // Its address is keepalived's, which runs.
      assert.ok(!told.codes.includes('left-address'))
      host.write(file, conf({ priority: 100 }).replace('51', '52'))
      const apart = await doctor(host, '/run/lab/vipd', '-f', file)
      assert.ok(!apart.codes.includes('same-vrid-here'))
      of(apart, 'keepalived-runs')
    }))

  test('no daemon: that, a virtual address that stayed, and the tables of dead daemons', () =>
    inLab('doctor-left', async (lab) => {
      const host = await one(lab)
      host.write(file, conf({ priority: 100, vip }))
      const before = await doctor(host, '/run/lab/vipd', '-f', file)
      of(before, 'daemon-away')
      for (const code of ['left-address', 'keepalived-table', 'vipd-table'])
        assert.ok(!before.codes.includes(code), code)

      await host.sh(`ip address add ${vip}/32 dev eth0`)
      await host.sh('nft add table ip keepalived; nft add table inet vipd_run_0123456789ab')
      const told = await doctor(host, '/run/lab/vipd', '-f', file)
      assert.equal(told.status, 2)
      assert.match(of(told, 'left-address').what, /^eth0 holds 10\.0\.0\.9\/\d+/)
      assert.match(of(told, 'vipd-table').what, /vipd_run_0123456789ab/)
      await host.sh(of(told, 'keepalived-table').mend)
      const swept = await doctor(host, '/run/lab/vipd', '-f', file)
      assert.ok(!swept.codes.includes('keepalived-table'))
    }))

  test('a program that hangs: said in time, and the rest looked at', () =>
    inLab('doctor-hangs', async (lab) => {
      const host = await one(lab)
      host.write(file, conf({ priority: 100 }))
      // In place of nft: a program that never ends.
      host.write('/run/lab/nft', '#!/bin/sh\nexec sleep 1000\n', 0o755)
      const line = `PATH=/run/lab:$PATH exec '${process.execPath}' '${command}' doctor --json --run-dir /run/lab/x -f ${file}`
      const ran = await host.run('sh', ['-c', line])
      const told = JSON.parse(ran.stdout) as Told
      assert.deepEqual(
        told.unseen.map(({ what }) => what),
        ['the rules of nftables'],
      )
      assert.deepEqual(told.findings.map(({ code }) => code).includes('daemon-away'), true)
      assert.equal(ran.status, 2)
    }))

  test('a backup that hears nothing while the master lives: its host answers, and why is named too', () =>
    inLab('doctor-deaf', async (lab) => {
      const master = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      const backup = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
      const first = startVipd(master, conf({ priority: 150 }))
      await first.reaches('VI_1', 'MASTER', soonMs)
      const daemon = startVipd(backup, conf({ priority: 100 }))
      await daemon.reaches('VI_1', 'BACKUP', soonMs)
      const hears = () => daemon.status().then((it) => (it.instances[0]?.adverts.received ?? 0) > 0)
      await until('the backup hears its master', soonMs, hears)
      await backup.sh(
        `nft 'add table ip f; add chain ip f in { type filter hook input priority 0; };
          add rule ip f in ip protocol 112 counter drop'`,
      )
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      const told = await doctor(backup)
      assert.equal(told.status, 2)
      assert.match(of(told, 'peer-unheard').what, /^172\.16\.80\.2 .* its host answers$/)
      of(told, 'firewall-drops')
    }))

  test('a user that is not root is told what was not looked at', () =>
    inLab('doctor-user', async (lab) => {
      const host = await one(lab)
      host.write(file, conf({ priority: 100, vip }))
      const args = ['--reuid', '65534', '--clear-groups', process.execPath, command, 'doctor']
      const ran = await host.run('setpriv', [...args, '-f', file, '--run-dir', '/run/lab/vipd'])
      assert.match(ran.stdout, /^not looked at: the rules of nftables: /m)
      assert.match(ran.stdout, /^error: no vipd runs with \/run\/lab\/vipd \[daemon-away\]$/m)
      assert.equal(ran.status, 2)
    }))
})
