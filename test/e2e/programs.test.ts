/** Programs that the daemon starts: which it does not, and that they end with it, however it ends. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import { inUserNamespace } from '../../src/lab/namespaces.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 20_000
const alone = { addresses: { eth0: ['172.16.80.2/24'] } }

const linesOf = (host: Host, path: string): string[] =>
  (host.read(path) ?? '').split('\n').filter((line) => line !== '')

/** Reads the FIFO for ever: opened for reading and writing, it never sees its end. */
const reader = (ignoring: string): string => `#!/bin/sh
${ignoring}
echo $$ >> /run/lab/readers
while read -r line; do echo "$$ $line" >> /run/lab/lines; done <> "$1"
`

/** Still runs: not a zombie, which in a lab is not always buried. */
const alive = async (host: Host, pid: string | undefined): Promise<boolean> => {
  const { stdout } = await host.run('sh', ['-c', `cat /proc/${pid}/stat 2> /dev/null || true`])
  return /\) [RSD]/.test(stdout)
}

describe('programs', { concurrency: 2 }, () => {
  for (const [what, ignoring] of [
    ['ends with a daemon that is killed', ''],
    ['that outlives the daemon reads nothing of the next one', "trap '' TERM"],
  ] as const) {
    test(`a FIFO script ${what}`, () =>
      inLab('fifo', async (lab) => {
        const host = await lab.host('one', alone)
        host.write('/run/lab/reader.sh', reader(ignoring), 0o755)
        const globals =
          'vrrp_notify_fifo /run/lab/fifo\n  vrrp_notify_fifo_script /run/lab/reader.sh'
        const config = conf({ globals, priority: 150 })
        const first = startVipd(host, config)
        await first.reaches('VI_1', 'MASTER', soonMs)
        await until('the first script has read the transition', soonMs, () =>
          linesOf(host, '/run/lab/lines').some((line) => line.includes('MASTER')),
        )
        const [old] = linesOf(host, '/run/lab/readers')
        await first.kill()
        if (ignoring === '') {
          await until('the script is gone', soonMs, async () => !(await alive(host, old)))
        } else assert.ok(await alive(host, old))
        const mark = linesOf(host, '/run/lab/lines').length
        const second = startVipd(host, config, 'next')
        await second.reaches('VI_1', 'MASTER', soonMs)
        const fresh = () => linesOf(host, '/run/lab/lines').slice(mark)
        await until('the second script has read the transition', soonMs, () =>
          fresh().some((line) => line.includes('MASTER')),
        )
        const [, next] = linesOf(host, '/run/lab/readers')
        const words = fresh().map((line) => line.split(' '))
        assert.deepEqual([...new Set(words.map(([pid]) => pid))], [next])
        assert.ok(
          words.every(([, type]) => type === 'INSTANCE'),
          fresh().join('\n'),
        )
        await second.stop()
        await host.run('kill', ['-KILL', old ?? ''])
      }))
  }

  for (const [flag, repeats] of [
    ['fifo_write_vrrp_states_on_reload', 1],
    ['', 0],
  ] as const)
    test(`a reload writes the states to the FIFOs again: ${flag || 'not unless asked'}`, () =>
      inLab('repeats', async (lab) => {
        const host = await lab.host('one', alone)
        host.write('/run/lab/reader.sh', reader("trap '' TERM"), 0o755)
        const globals = `${flag}\n  vrrp_notify_fifo /run/lab/fifo\n  vrrp_notify_fifo_script /run/lab/reader.sh`
        const daemon = startVipd(host, conf({ globals, priority: 150 }))
        const masters = () =>
          linesOf(host, '/run/lab/lines').filter((line) => /INSTANCE "VI_1" MASTER/.test(line))
        await until('the transition is read', soonMs, () => masters().length === 1)
        daemon.configure(conf({ globals, priority: 140 }))
        assert.equal((await daemon.tryReload()).status, 0)
        const read = () => linesOf(host, '/run/lab/lines')
        await until('the states are read again', soonMs, () => masters().length === 1 + repeats)
        // What the stop writes comes after whatever the reload wrote.
        await daemon.stop()
        await until('the end is read', soonMs, () => read().some((line) => /STOP/.test(line)))
        assert.equal(masters().length, 1 + repeats)
      }))

  test('script security: what another user may change is not run, wherever it stands', () =>
    inLab('secured', async (lab) => {
      const host = await lab.host('one', alone)
      host.write('/run/lab/good.sh', '#!/bin/sh\ntouch /run/lab/good\n', 0o755)
      host.write('/run/lab/bad.sh', '#!/bin/sh\ntouch /run/lab/ran\n', 0o777)
      await host.must('chmod', ['0777', '/run/lab/bad.sh'])
      const before = `vrrp_script c {
  script "/run/lab/bad.sh > /dev/null 2>&1 || exit 1"
  interval 1
}`
      const notify = 'notify_fault "if true; then /run/lab/bad.sh; fi"\n  notify /run/lab/good.sh'
      const globals = 'enable_script_security\n  startup_script "true && /run/lab/bad.sh"'
      const more = `track_script {\n    c\n  }\n  ${notify}`
      const daemon = startVipd(host, conf({ globals, before, more, priority: 150 }))
      await daemon.reaches('VI_1', 'FAULT', soonMs)
      // In a user namespace it is not known to which users the directories above belong.
      if (!inUserNamespace()) {
        await until('the good notifier ran', soonMs, () => host.read('/run/lab/good') !== null)
      }
      assert.equal((await daemon.status()).checks[0]?.good, false)
      await daemon.stop()
      assert.equal(host.read('/run/lab/ran'), null)
    }))
})
