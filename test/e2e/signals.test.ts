/** No signal ends the daemon or its warden but those that are meant to, and programs inherit none of that. */
import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { test } from 'node:test'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const vip = '172.16.80.100'
const soonMs = 30_000
const { signals } = constants

/** End, or stop, the daemon as they should; and what the kernel sends for a fault of the process itself. */
const meant: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL']
const stops: readonly NodeJS.Signals[] = ['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']
const faults: readonly NodeJS.Signals[] = [
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGSYS',
]
const numbers = (names: readonly NodeJS.Signals[]) => names.map((name) => signals[name])
const every = Array.from({ length: 64 }, (_, i) => i + 1)
const without = (some: readonly number[]) => every.filter((signal) => !some.includes(signal))

const sendAll = `
import os, sys
for signal in sys.argv[2:]: os.kill(int(sys.argv[1]), int(signal))`

test('every other signal: the daemon leads on, its warden stands by, scripts are as usual', () =>
  inLab('every-signal', async (lab) => {
    const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const look = host.write('/run/lab/look.sh', '#!/bin/sh\ncp /proc/self/status /run/lab/seen\n')
    await host.must('chmod', ['755', look])
    const before = `vrrp_script look {\n  script ${look}\n  interval 1\n}`
    const more = 'track_script {\n    look\n  }'
    const daemon = startVipd(host, conf({ priority: 150, before, more }))
    await daemon.reaches('VI_1', 'MASTER', soonMs)
    await host.awaitAddress(vip, true, soonMs)
    const pid = (await host.sh('pgrep -o -x "node|vipd"')).trim()
    const warden = (await host.sh('pgrep -x vipd-warden')).trim()
    const from = host.changes.items.length

    const toDaemon = without(numbers([...meant, ...stops, ...faults]))
    await host.must('python3', ['-c', sendAll, pid, ...toDaemon.map(String)])
    const toWarden = without(numbers([...faults, 'SIGKILL', 'SIGSTOP']))
    await host.must('python3', ['-c', sendAll, warden, ...toWarden.map(String)])

    await daemon.child.line(/SIGHUP received/, soonMs)
    await daemon.child.line(/SIGUSR2 received/, soonMs)
    assert.equal((await daemon.status()).instances[0]?.state, 'MASTER')
    assert.equal((await host.sh('pgrep -x vipd-warden')).trim(), warden)
    assert.deepEqual(host.changes.items.slice(from), [])

    // The copy is made by a program of a program, with what it inherited.
    const seen = await until('the script has run', soonMs, async () => {
      const { status, stdout } = await host.run('cat', ['/run/lab/seen'])
      return status === 0 && /SigIgn/.test(stdout) ? stdout : null
    })
    assert.match(seen, /^SigIgn:\t0+$/m)
    assert.match(seen, /^SigBlk:\t0+$/m)
    assert.deepEqual(await daemon.stop(), { status: 0, signal: null })
  }))

test('TERM while the daemon is still starting: it stops in order as soon as it has', () =>
  inLab('term-at-start', async (lab) => {
    const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    // A start waits for the kernel lease, with the run directory and its control socket open.
    await host.sh('mkdir -p /run/lab/bin')
    host.write('/run/lab/bin/nft', '#!/bin/sh\n/bin/touch /run/lab/asked\n/bin/sleep 1\n', 0o755)
    const text = conf({ priority: 150, globals: 'vipd_kernel_lease on' })
    const daemon = startVipd(host, text, 'vipd', ['env', 'PATH=/run/lab/bin'])
    await until('nft is asked', soonMs, () => host.read('/run/lab/asked') !== null)
    const { status } = await daemon.stop(soonMs)
    assert.equal(status, 0)
    assert.match(daemon.child.text, /"msg":"Stopped"/)
    assert.equal(host.read(`${daemon.runDir}/owned.json`), null)
  }))
