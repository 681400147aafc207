/** vipd as PID 1 of a container: it gets the orphans of its programs, and must not take the ends of its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 60_000
const checks = 20
const orphansWanted = 20

type CheckStatus = {
  readonly name: string
  readonly good: boolean | null
  readonly runs: number
  readonly failures: number
  readonly timeouts: number
  readonly last: { readonly outcome: unknown } | null
}

const script = (name: string, command: string) =>
  `vrrp_script ${name} {\n script "${command}"\n interval 0.25\n timeout 20\n weight 1\n}\n`

/** Ends well itself, and leaves a grandchild that ends when its parent is long gone. */
const orphaning = `#!/bin/sh
[ "$(wc -l < "$1")" -ge ${orphansWanted} ] && exit 0
echo made >> "$1"
(sleep 0.2 &) < /dev/null > /dev/null 2>&1
`

/** The processes of `host` that are children of `parent`, by state and name. */
const childrenOf = async (host: Host, parent: string): Promise<readonly string[]> =>
  (await host.sh('ps -e -o ppid= -o stat= -o comm=')).split('\n').flatMap((line) => {
    const [ppid, state = '', name = ''] = line.trim().split(/\s+/)
    return ppid === parent ? [`${state[0]} ${name}`] : []
  })

test('PID 1 reaps orphans, and every check keeps its own status', () =>
  inLab('init', async (lab) => {
    const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const made = host.write('/run/lab/made', '')
    const file = host.write('/run/lab/orphaning', orphaning)
    await host.sh(`chmod 755 ${file}`)
    const good = Array.from({ length: checks }, (_, i) => script(`good${i}`, `/bin/sh -c 'exit 0'`))
    const bad = Array.from({ length: checks }, (_, i) =>
      script(`bad${i}`, `/bin/sh -c 'exit ${i + 1}'`),
    )
    const before = [...good, ...bad, script('orphaning', `${file} ${made}`)].join('')
    const names = [...before.matchAll(/vrrp_script (\S+)/g)].map(([, name]) => name)
    const more = `track_script {\n ${names.join('\n ')}\n }`
    const under = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']
    const vipd = startVipd(host, conf({ priority: 100, before, more }), 'vipd', under)
    await vipd.reaches('VI_1', 'MASTER', soonMs)
    const checked = async (): Promise<readonly CheckStatus[]> =>
      (await vipd.status()).checks as readonly CheckStatus[]
    const [pid = ''] = (await host.sh('pgrep -P "$(pgrep -x unshare)"')).split('\n')
    await until('all orphans are made, and each check has run often', soonMs, async () => {
      const lines = Number(await host.sh(`wc -l < ${made}`))
      return lines >= orphansWanted && (await checked()).every(({ runs }) => runs >= 20)
    })
    await until('no orphan is a zombie', soonMs, async () => {
      const children = await childrenOf(host, pid)
      return children.length > 0 && !children.includes('Z sleep') && !children.includes('S sleep')
    })
    for (const { name, good, runs, failures, timeouts, last } of await checked()) {
      assert.equal(timeouts, 0, name)
      if (name.startsWith('bad')) {
        assert.deepEqual([good, failures], [false, runs], name)
        assert.match(
          JSON.stringify(last?.outcome),
          new RegExp(`:${Number(name.slice(3)) + 1}\\b`),
          name,
        )
      } else assert.deepEqual([good, failures], [true, 0], name)
    }
  }))
